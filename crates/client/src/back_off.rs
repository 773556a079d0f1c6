//! Picks one of several servers at random. A server that fails is left alone for a growing while.
use std::time::{Duration, Instant};

/// The longest a server is left alone.
const LONGEST: Duration = Duration::from_secs(300);
/// An unanswered report backs off as if the server had failed this often: half a minute.
const UNANSWERED: u32 = 5;
const FIRST: Duration = Duration::from_secs(1);

#[derive(Debug, Default, Clone, Copy)]
struct Waits {
    failures: u32,
    not_before: Option<Instant>,
    is_pardonable: bool,
}

/// How each server has done recently, in the order of the settings.
#[derive(Debug)]
pub(crate) struct Standings(Vec<Waits>);

impl Standings {
    pub(crate) fn new(servers: usize) -> Self {
        Self(vec![Waits::default(); servers])
    }

    /// Picks an available server at random; if there is none, says when the first one is.
    pub(crate) fn choose(
        &self,
        now: Instant,
        random: &mut fastrand::Rng,
    ) -> Result<usize, Instant> {
        let open = |standing: &Waits| standing.not_before.is_none_or(|at| at <= now);
        let open: Vec<usize> = (0..self.0.len()).filter(|&at| open(&self.0[at])).collect();
        match open.is_empty() {
            false => Ok(open[random.usize(..open.len())]),
            true => {
                let times = self.0.iter().filter_map(|standing| standing.not_before);
                Err(times.min().unwrap_or(now + LONGEST))
            }
        }
    }

    /// The server failed: it is left alone for twice as long as before, less a random part, so that
    /// many clients do not return at the same moment.
    pub(crate) fn failed(&mut self, server: usize, now: Instant, random: &mut fastrand::Rng) {
        let standing = &mut self.0[server];
        standing.is_pardonable = true;
        standing.failures = standing.failures.saturating_add(1);
        let doubled = FIRST.saturating_mul(1 << standing.failures.min(16).saturating_sub(1));
        let part = 0.5 + random.f64() / 2.0;
        standing.not_before = Some(now + doubled.min(LONGEST).mul_f64(part));
    }

    /// The server may have taken a report without answering. Sending that report again soon would
    /// count it twice, so the server is left alone for longer, and no pardon shortens that.
    pub(crate) fn unanswered(&mut self, server: usize, now: Instant, random: &mut fastrand::Rng) {
        self.0[server].failures = self.0[server].failures.max(UNANSWERED);
        self.failed(server, now, random);
        self.0[server].is_pardonable = false;
    }

    pub(crate) fn worked(&mut self, server: usize) {
        self.0[server] = Waits::default();
    }

    /// All servers may be asked again.
    pub(crate) fn pardon(&mut self) {
        let pardonable = self.0.iter_mut().filter(|standing| standing.is_pardonable);
        pardonable.for_each(|standing| standing.not_before = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn failing_server_is_retried_ever_later_up_to_a_limit() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut standings = Standings::new(1);
        let now = clock::now();
        let mut waits = Vec::new();
        for _ in 0..40 {
            standings.failed(0, now, &mut random);
            let until = standings.choose(now, &mut random).expect_err("it failed just now");
            waits.push(until - now);
        }
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{waits:?}");
        assert!(waits[4] >= Duration::from_secs(8), "{waits:?}");
        assert!(waits.iter().all(|&wait| wait <= LONGEST), "{waits:?}");
        assert!(waits[39] >= LONGEST / 2, "{waits:?}");
        assert_eq!(standings.choose(now + LONGEST, &mut random), Ok(0));
    }

    #[test]
    fn other_servers_are_meanwhile_asked_equally_often() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut standings = Standings::new(3);
        let now = clock::now();
        standings.failed(1, now, &mut random);
        let mut asked = [0; 3];
        for _ in 0..1_000 {
            asked[standings.choose(now, &mut random).expect("two are open")] += 1;
        }
        assert!(asked[1] == 0 && asked[0] > 400 && asked[2] > 400, "{asked:?}");
        standings.worked(1);
        standings.failed(0, now, &mut random);
        standings.pardon();
        assert!((0..100).any(|_| standings.choose(now, &mut random) == Ok(0)));
    }
}
