#!/bin/sh
# Makes the files of this folder from synthesised tones: `sh make.sh`. Needs sox, flac, oggenc, opusenc, lame and ffmpeg.
set -eu
cd "$(dirname "$0")"
tone="sine 440-1760 gain -6"
sox -R -D -n -r 16000 -b 16 -c 1 mono_s16.wav synth 0.25 $tone
sox -R -D -n -r 16000 -b 24 -c 1 mono_s24.wav synth 0.1 $tone
sox -R -D -n -r 48000 -b 16 -c 2 stereo_s16.wav synth 0.07 sine 440 sine 1000 gain -6
flac="flac -s -f --no-padding -b 1024"
$flac -o mono_s16.flac mono_s16.wav
$flac -o mono_s24.flac mono_s24.wav
$flac -o stereo_s16.flac stereo_s16.wav
# Through a pipe the encoder cannot go back: the header states no length.
raw="--force-raw-format --endian=little --sign=signed --channels=1 --bps=16 --sample-rate=16000"
sox -D mono_s16.wav -t raw - | $flac $raw -c - | cat > mono_unknown_length.flac
sox -D mono_s16.wav -t raw - | $flac $raw --ogg --serial-number=20 -o mono_flac.ogg -
oggenc -Q -q 2 -s 17 -o mono_vorbis.ogg mono_s16.wav
oggenc -Q -q 2 -s 18 -o stereo_vorbis.ogg stereo_s16.wav
cat mono_vorbis.ogg mono_vorbis.ogg > chained_vorbis.ogg
cat mono_vorbis.ogg stereo_vorbis.ogg > chained_other_rate.ogg
# What libvorbis decodes, rounded to 16 bits.
sox -D mono_vorbis.ogg -e signed -b 16 mono_vorbis.wav
sox -D stereo_vorbis.ogg -e signed -b 16 stereo_vorbis.wav
opusenc --quiet --bitrate 16 --serial 19 mono_s16.wav mono_opus.ogg
sox -R -D mono_s16.wav -e ms-adpcm mono_adpcm.wav
# LAME's own table says what it put around the sound; FFmpeg writes one of the same form, and edit lists into MP4.
lame --quiet -b 64 mono_s16.wav mono_mp3.mp3
lame --quiet -V 4 --resample 48 --tt Tone --add-id3v2 stereo_s16.wav stereo_mp3.mp3
lame --quiet -b 64 -t mono_s16.wav mono_no_info.mp3
ff="ffmpeg -v error -y"
exact="-fflags +bitexact -flags:a +bitexact"
$ff -i mono_s16.wav $exact -c:a libmp3lame -b:a 32k mono_lavc.mp3
$ff -i mono_s16.wav $exact -c:a aac -b:a 32k mono_aac.m4a
$ff -i stereo_s16.wav $exact -c:a aac -b:a 96k -movflags +faststart stereo_aac.m4a
$ff -i mono_s16.wav $exact -c:a aac -b:a 32k -f adts mono_adts.aac
# What FFmpeg's own decoders give, rounded to 16 bits.
for name in mono_mp3.mp3 stereo_mp3.mp3 mono_no_info.mp3 mono_lavc.mp3 mono_aac.m4a stereo_aac.m4a mono_adts.aac; do
    $ff -i $name $exact -c:a pcm_s16le ${name%.*}.wav
done
