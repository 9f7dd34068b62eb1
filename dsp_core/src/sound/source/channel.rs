//! Which channel of a stream is heard.

use super::MAX_CHANNELS;
use crate::error::{BlockError, Reason};

/// The channel that is heard: one of the stream's, or the mean of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// One channel, counted from 1; a number as a person gives it, checked against the stream.
    Number(i64),
    /// The mean of all channels: `((x1 + x2) + x3 + …) / n`, in `f32` and in this order, so that every CPU gives the same
    /// samples. Sound that is alike in all channels stays as it is; of unlike sound the mean is the quieter one.
    Mean,
}

impl Channel {
    /// The first channel.
    pub const FIRST: Self = Self::Number(1);

    /// Whether a stream of so many channels has it.
    ///
    /// # Errors
    /// `BadChannels`, also for a stream of no channel or of more than [`MAX_CHANNELS`].
    pub(super) fn check(self, n_channels: u32) -> Result<(), BlockError> {
        check_channels(n_channels)?;
        match self {
            Self::Number(number) if !(1..=i64::from(n_channels)).contains(&number) => {
                let expected = match n_channels {
                    1 => "channel 1".to_owned(),
                    n => format!("channel 1 to {n}"),
                };
                Err(BlockError::new(Reason::BadChannels, expected, number))
            }
            _ => Ok(()),
        }
    }

    /// Appends what is heard of one stretch of decoded channels, one slice each.
    pub(super) fn append<'a, S: Copy + 'a>(
        self,
        mut planes: impl Iterator<Item = &'a [S]>,
        to_f32: impl Fn(S) -> f32,
        out: &mut Vec<f32>,
    ) {
        match self {
            Self::Number(number) => {
                let plane = index(number).and_then(|i| planes.nth(i));
                out.extend(plane.unwrap_or(&[]).iter().map(|&x| to_f32(x)));
            }
            Self::Mean => append_mean(planes, to_f32, out),
        }
    }
}

/// Where the channel of a number stands among all, counted from 0.
pub(super) fn index(number: i64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

fn append_mean<'a, S: Copy + 'a>(
    mut planes: impl Iterator<Item = &'a [S]>,
    to_f32: impl Fn(S) -> f32,
    out: &mut Vec<f32>,
) {
    let start = out.len();
    let first = planes.next().unwrap_or(&[]);
    out.extend(first.iter().map(|&x| to_f32(x)));
    let mut n_channels = 1.0;
    for plane in planes {
        let sums = out[start..].iter_mut();
        sums.zip(plane).for_each(|(sum, &x)| *sum += to_f32(x));
        n_channels += 1.0;
    }
    out[start..].iter_mut().for_each(|sum| *sum /= n_channels);
}

pub(super) fn check_channels(n_channels: u32) -> Result<(), BlockError> {
    if (1..=MAX_CHANNELS).contains(&n_channels) {
        return Ok(());
    }
    let expected = format!("1 to {MAX_CHANNELS} channels");
    Err(BlockError::new(Reason::BadChannels, expected, n_channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(channel: Channel) -> Vec<f32> {
        let mut out = vec![9.0];
        let planes: [&[i32]; 3] = [&[1, 2], &[3, 4], &[5, -9]];
        channel.append(planes.into_iter(), |x| x as f32, &mut out);
        out
    }

    #[test]
    fn one_channel_is_heard_or_the_mean_of_all() {
        assert_eq!(heard(Channel::FIRST), [9.0, 1.0, 2.0]);
        assert_eq!(heard(Channel::Number(3)), [9.0, 5.0, -9.0]);
        assert_eq!(heard(Channel::Mean), [9.0, 3.0, -1.0]);
    }

    #[test]
    fn a_channel_that_is_not_there_is_refused_with_its_number() {
        let text = |channel: Channel, n| channel.check(n).map_err(|error| error.to_string());
        assert_eq!(text(Channel::Number(2), 2), Ok(()));
        assert_eq!(text(Channel::Mean, 64), Ok(()));
        let refused = |expected: &str| Err(format!("bad_channels: expected {expected}"));
        assert_eq!(
            text(Channel::Number(3), 2),
            refused("channel 1 to 2, got 3")
        );
        assert_eq!(
            text(Channel::Number(0), 2),
            refused("channel 1 to 2, got 0")
        );
        assert_eq!(text(Channel::Number(2), 1), refused("channel 1, got 2"));
        assert_eq!(
            text(Channel::Number(i64::MIN), 2),
            refused("channel 1 to 2, got -9223372036854775808")
        );
        assert_eq!(text(Channel::Mean, 0), refused("1 to 64 channels, got 0"));
    }
}
