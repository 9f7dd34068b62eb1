# %% [markdown]
# # Questions to an archive
#
# `sourdine run` turns recordings into three files of records, one JSON object a line. DuckDB asks them questions in
# SQL, as they are. With a folder of your own: `python archive_events.py recordings/`. Without one, three recordings of
# a synthetic street serve.

# %%
import json
import subprocess
import sys
from pathlib import Path

import duckdb

SOURDINE = [sys.executable, "-P", "-m", "sourdine"]

# %% [markdown]
# ## From sound to records
#
# The names of these recordings say when they were made, so `--start auto` puts every record at its time on the clock.

# %%
if len(sys.argv) > 1:
    archive = Path(sys.argv[1])
else:
    subprocess.run([*SOURDINE, "demo", "--quiet", "--out", "scene"], check=True)
    archive = Path("archive")
    archive.mkdir(exist_ok=True)
    for name in ("street_20260504_205900.wav", "street_20260504_210400.wav", "yard_20260504_221500.wav"):
        (archive / name).write_bytes(Path("scene/synthetic-street.wav").read_bytes())
done = subprocess.run([*SOURDINE, "run", archive, "--start", "auto", "--out", "results", "--quiet"], check=False)
assert done.returncode in (0, 1)  # 1: some could not be heard, each with a line
refused = json.loads(Path("results/report.json").read_bytes())["refused_by_reason"]
if "no_time" in refused:
    print(f"{refused['no_time']} without a time in name or header: without --start auto they begin at 00:00 of 1970")

# %% [markdown]
# ## What a record is
#
# Said here, because a file may be empty: there are nights without an event.

# %%
EVENTS = """read_json('results/events.jsonl', columns={
    time: 'timestamp', data: 'struct(sensor_id uint32, slot bigint, sound_class varchar, level_db integer)'})"""
LEVELS = """read_json('results/levels.jsonl', columns={
    time: 'timestamp', data: 'struct(sensor_id uint32, slot bigint, level_db integer)'})"""

# %% [markdown]
# ## What happened, hour by hour

# %%
print(
    duckdb.sql(
        f"""
        select date_trunc('hour', time) as hour, data.sound_class as class, count(*) as events
        from {EVENTS}
        group by all order by all
        """
    )
)

# %% [markdown]
# ## The loudest minutes, and what was told in them

# %%
print(
    duckdb.sql(
        f"""
        select level.data.sensor_id as sensor, level.time, level.data.level_db as laeq,
               list(event.data.sound_class) as told
        from {LEVELS} level
        left join {EVENTS} event
          on event.data.sensor_id = level.data.sensor_id
         and event.data.slot between level.data.slot and level.data.slot + 59
        where level.data.level_db is not null
        group by all order by laeq desc limit 5
        """
    )
)
