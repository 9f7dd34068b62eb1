//! Many sensors in one call: each as if it were alone.

use super::*;

/// One sensor's sound, and how it comes.
#[derive(Debug, Clone)]
struct Sensor {
    rate: u32,
    samples: Vec<f32>,
    sizes: Vec<usize>,
    is_bad: bool,
}

fn sensors() -> impl Strategy<Value = Vec<Sensor>> {
    let one = (
        proptest::sample::select(RATES.to_vec()),
        proptest::collection::vec(1_usize..6_000, 1..5),
        0_usize..30_000,
        any::<u32>(),
        proptest::bool::weighted(0.2),
    );
    let one = one.prop_map(|(rate, sizes, n, seed, is_bad)| Sensor {
        rate,
        samples: noise(n, seed),
        sizes,
        is_bad,
    });
    proptest::collection::vec(one, 1..9)
}

/// All sensors' next blocks; a bad sensor skips a sample once.
fn next_blocks(sensors: &[Sensor], at: &mut [usize], round: usize) -> Vec<(usize, AudioBlock)> {
    let mut blocks = Vec::new();
    for (number, (sensor, at)) in sensors.iter().zip(at).enumerate() {
        let n = sensor.sizes[round % sensor.sizes.len()].min(sensor.samples.len() - *at);
        if n > 0 {
            let skipped = usize::from(sensor.is_bad && round == 1);
            let samples = &sensor.samples[*at..*at + n];
            blocks.push((number, block(sensor.rate, *at + skipped, samples)));
            *at += n;
        }
    }
    blocks
}

/// A job for each block.
fn jobs_of<'a>(
    stages: &'a mut [Describe],
    outs: &'a mut [Description],
    blocks: &'a [(usize, AudioBlock)],
) -> Vec<Job<'a>> {
    let all = stages.iter_mut().zip(outs).enumerate();
    all.filter_map(|(number, (stage, out))| {
        let (_, block) = blocks.iter().find(|(of, _)| *of == number)?;
        let refusal = None;
        Some(Job {
            stage,
            block,
            out,
            refusal,
        })
    })
    .collect()
}

/// What comes of all sensors: by single pushes, or in one call for each round.
fn hear_all(sensors: &[Sensor], is_one_call: bool) -> Vec<(Heard, Vec<BlockError>)> {
    let mut stages: Vec<Describe> = sensors
        .iter()
        .map(|sensor| Describe::new(SENSOR, sensor.rate, SLOT).unwrap())
        .collect();
    let mut heard: Vec<(Heard, Vec<BlockError>)> = Vec::new();
    heard.resize_with(sensors.len(), Default::default);
    let mut outs: Vec<Description> = Vec::new();
    outs.resize_with(sensors.len(), Description::default);
    let (mut at, mut workspace) = (vec![0; sensors.len()], Workspace::new());
    for round in 0.. {
        let blocks = next_blocks(sensors, &mut at, round);
        if blocks.is_empty() {
            break;
        }
        let mut jobs = jobs_of(&mut stages, &mut outs, &blocks);
        if is_one_call {
            push_many_into(&mut jobs, &mut workspace);
        } else {
            for job in &mut jobs {
                job.refusal = job.stage.push_into(job.block, job.out).err();
            }
        }
        for (job, (number, _)) in jobs.iter().zip(&blocks) {
            let (heard, refusals) = &mut heard[*number];
            heard.take(job.out);
            refusals.extend(job.refusal.clone());
        }
    }
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn many_sensors_in_one_call_are_each_as_if_alone(sensors in sensors(), path in paths()) {
        limit_path(path);
        prop_assert_eq!(hear_all(&sensors, true), hear_all(&sensors, false));
    }

    /// One sensor's output is the same whatever its neighbours hear: nothing leaks through the lanes that they share.
    #[test]
    fn nothing_depends_on_what_others_hear(
        sensors in sensors(),
        seed in any::<u32>(),
        path in paths(),
    ) {
        limit_path(path);
        let mut others = sensors.clone();
        for other in &mut others[1..] {
            other.samples = noise(other.samples.len(), seed);
        }
        prop_assert_eq!(&hear_all(&sensors, true)[0], &hear_all(&others, true)[0]);
    }
}

#[test]
fn every_path_gives_the_same_bytes_of_many() {
    let sensor = |i: u32| Sensor {
        rate: RATES[i as usize % RATES.len()],
        samples: noise(20_000, i),
        sizes: vec![1_600, 37, 4_800],
        is_bad: i == 3,
    };
    let sensors: Vec<Sensor> = (0..12).map(sensor).collect();
    let heard = [Path::Baseline, Path::Avx2, Path::Avx512].map(|path| {
        limit_path(path);
        hear_all(&sensors, true)
    });
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
}

#[test]
fn another_speech_band_has_lanes_of_its_own() {
    let (mut first, mut second) = (
        Describe::new(SENSOR, 16_000, SLOT).unwrap(),
        Describe::new(SENSOR, 16_000, SLOT)
            .unwrap()
            .with_speech_band([100.0, 6_000.0])
            .unwrap(),
    );
    let (mut one, mut other) = (Description::default(), Description::default());
    let sound = block(16_000, 0, &noise(1_600, 1));
    let mut jobs = [(&mut first, &mut one), (&mut second, &mut other)].map(|(stage, out)| Job {
        stage,
        block: &sound,
        out,
        refusal: None,
    });
    push_many_into(&mut jobs, &mut Workspace::new());
    assert_eq!(one.bands[..], other.bands[..]);
    let is_less = |(a, b): (&f32, &f32)| a > b;
    assert!(
        one.masked_energy
            .iter()
            .zip(other.masked_energy.iter())
            .all(is_less)
    );
}

#[test]
fn the_workspace_holds_nothing_after_a_call() {
    let mut stage = Describe::new(SENSOR, 48_000, SLOT).unwrap();
    let mut out = Description::default();
    let sound = block(48_000, 0, &noise(48_000, 1));
    let mut workspace = Workspace::new();
    let job = Job {
        stage: &mut stage,
        block: &sound,
        out: &mut out,
        refusal: None,
    };
    push_many_into(&mut [job], &mut workspace);
    assert_eq!(out.n_frames(), 98);
    assert!(workspace.is_wiped());
    workspace.take_back(&mut out);
    assert_eq!((out.n_frames(), out.bands.len()), (98, 0));
    assert!(workspace.is_wiped());
}
