//! The sending thread redacts, encodes and sends waiting reports, to one server at a time.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flawless_protocol::thrift::encode_record_error;

use crate::back_off::Standings;
use crate::clock;
use crate::message::message;
use crate::process::Process;
use crate::queue::{Queue, Waiting};
use crate::settings::Settings;
use crate::transport::{Connection, Failure};

/// Stack size of the thread: enough for TLS and regular expressions, an eighth of the default.
const STACK: usize = 1024 * 1024;

/// Lets the program continue before the thread starts working.
const AFTER_YOU: Duration = Duration::from_millis(2);

/// How often `flush` asks whether its caller still wants to wait.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// State shared by the program and the thread.
#[derive(Debug)]
pub(crate) struct Delivery {
    settings: Settings,
    state: Mutex<State>,
    process: Process,
    /// Signalled when there is something to do.
    work: Condvar,
    /// Signalled when nothing is left to do, or nothing can be done.
    rest: Condvar,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    thread: Option<JoinHandle<()>>,
    is_sending: bool,
    /// The thread is waiting for a report.
    is_idle: bool,
    /// No server takes reports at the moment.
    is_hopeless: bool,
    /// All servers are to be tried immediately, whatever they did before.
    wants_pardon: bool,
    /// A report was refused or lost since the last `flush`.
    has_lost: bool,
    /// The thread ends once the queue is empty: the client is gone, or the process forks.
    is_last: bool,
    /// The delivery that this one took over, while it may still be sending a report.
    before: Option<Arc<Delivery>>,
    warning: Option<String>,
    has_warned: bool,
    has_warned_of_loss: bool,
}

impl Delivery {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State {
            queue: Queue::new(settings.queue),
            thread: None,
            is_sending: false,
            is_idle: false,
            is_hopeless: false,
            wants_pardon: false,
            has_lost: false,
            is_last: false,
            before: None,
            warning: None,
            has_warned: false,
            has_warned_of_loss: false,
        };
        let (work, rest) = (Condvar::new(), Condvar::new());
        Self { settings, state: Mutex::new(state), process: Process::default(), work, rest }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Never waits for a server. The thread starts with the first report.
    pub(crate) fn push(self: &Arc<Self>, waiting: Waiting) {
        let mut state = self.lock();
        let lost = state.queue.push(waiting);
        state.lose(lost);
        if state.thread.is_none() {
            let delivery = self.clone();
            let builder = thread::Builder::new().name("flawless".to_owned()).stack_size(STACK);
            let mut start = Some(move || builder.spawn(move || delivery.run()));
            let mut started = None;
            (self.settings.start)(&mut || started = start.take().map(|start| start()));
            match started {
                Some(Ok(thread)) => state.thread = Some(thread),
                // The next report tries again.
                Some(Err(error)) => state.warn(|| format!("no thread for sending: {error}")),
                None => {}
            }
        }
        let is_idle = state.is_idle;
        drop(state);
        if is_idle {
            self.work.notify_one();
        }
    }

    /// Waits until everything is sent (`true`), no server takes it, the time is up, or `goes_on`
    /// returns `false`. Reports refused or lost since the last call count as not sent.
    pub(crate) fn flush(&self, limit: Duration, goes_on: &mut dyn FnMut() -> bool) -> bool {
        let until = clock::now().checked_add(limit);
        let Some(is_done) = self.flush_own(until, goes_on) else { return false };
        let before = self.lock().before.clone();
        let Some(before) = before.filter(|before| before.is_sending()) else { return is_done };
        let left = until.map(|until| until.saturating_duration_since(clock::now()));
        // Its server may be another one, and away: that does not count against this one.
        before.flush(left.unwrap_or(limit), goes_on);
        is_done && !before.is_sending()
    }

    /// Whether a report is on its way, here or at one that was taken over.
    fn is_sending(&self) -> bool {
        let state = self.lock();
        let (is_sending, before) = (state.is_sending, state.before.clone());
        drop(state);
        is_sending || before.is_some_and(|before| before.is_sending())
    }

    /// `None` as soon as `goes_on` returns `false`: it is not asked again.
    fn flush_own(&self, until: Option<Instant>, goes_on: &mut dyn FnMut() -> bool) -> Option<bool> {
        let mut state = self.lock();
        if state.thread.is_none() {
            return Some(state.queue.is_empty() && !std::mem::take(&mut state.has_lost));
        }
        state.wants_pardon = true;
        state.is_hopeless = false;
        self.work.notify_one();
        let busy =
            |state: &mut State| (!state.queue.is_empty() || state.is_sending) && !state.is_hopeless;
        loop {
            let left = until.map(|until| until.saturating_duration_since(clock::now()));
            let left = left.unwrap_or(Duration::MAX);
            let waited = self.rest.wait_timeout_while(state, left.min(ASKED_EVERY), busy);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if !timeout.timed_out() || left <= ASKED_EVERY {
                break;
            }
            // `goes_on` may wait for another thread that reports.
            drop(state);
            if !goes_on() {
                return None;
            }
            state = self.lock();
        }
        let has_lost = std::mem::take(&mut state.has_lost);
        Some(state.queue.is_empty() && !state.is_sending && !has_lost)
    }

    pub(crate) fn take_over(self: &Arc<Self>, other: &Arc<Self>) {
        let (waiting, lost) = other.lock().queue.take();
        let before = other.is_sending().then(|| other.clone());
        let mut state = self.lock();
        state.queue.lost += lost;
        state.before = before;
        drop(state);
        waiting.into_iter().for_each(|waiting| self.push(waiting));
    }

    pub(crate) fn lose(&self, occurrences: u64) {
        let mut state = self.lock();
        state.queue.lost += occurrences;
        state.has_lost |= occurrences > 0;
    }

    pub(crate) fn take_warning(&self) -> Option<String> {
        self.lock().warning.take()
    }

    /// Ends an idle thread; the next report starts another.
    pub(crate) fn pause(&self) {
        let mut state = self.lock();
        // The thread may not have woken yet for a waiting report.
        if !state.is_idle || !state.queue.is_empty() {
            return;
        }
        let Some(thread) = state.thread.take() else { return };
        state.is_last = true;
        drop(state);
        self.work.notify_one();
        let _ = thread.join();
        self.lock().is_last = false;
    }

    /// Ends the thread once it has sent the waiting reports, or cannot send them.
    pub(crate) fn end(&self) {
        self.lock().is_last = true;
        self.work.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut random = fastrand::Rng::new();
        let mut standings = Standings::new(self.settings.servers.len());
        let mut open = None;
        while let Some((waiting, lost)) = self.next(&mut open) {
            match standings.choose(clock::now(), &mut random) {
                Err(until) => {
                    if !self.wait(waiting, until, &mut standings) {
                        return;
                    }
                }
                Ok(server) => {
                    let send = || self.send(server, &mut open, &waiting, lost);
                    let sent = catch_unwind(AssertUnwindSafe(send)).unwrap_or_else(|_| {
                        Err(Failure::Refused("this report cannot be encoded".to_owned()))
                    });
                    match &sent {
                        Ok(()) | Err(Failure::Refused(_)) => standings.worked(server),
                        Err(Failure::Away(_) | Failure::Later(_)) => {
                            standings.failed(server, clock::now(), &mut random);
                        }
                        Err(Failure::Unanswered(_)) => {
                            standings.unanswered(server, clock::now(), &mut random);
                        }
                    }
                    self.settle(server, waiting, lost, sent);
                }
            }
        }
    }

    /// The next report and the number of occurrences lost before it; `None` when the thread is to
    /// end.
    fn next(&self, open: &mut Option<(usize, Connection)>) -> Option<(Waiting, u64)> {
        let mut state = self.lock();
        loop {
            if let Some(waiting) = state.queue.pop() {
                state.is_sending = true;
                let lost = waiting.reported_lost.unwrap_or(state.queue.lost);
                return Some((waiting, lost));
            }
            state.is_sending = false;
            state.wants_pardon = false;
            self.rest.notify_all();
            // An idle connection is closed.
            *open = None;
            if state.is_last {
                state.forget_this_thread();
                return None;
            }
            state.is_idle = true;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_idle = false;
            // A thread that was just woken would take the processor from the one that woke it.
            let nothing_presses = |state: &mut State| !state.wants_pardon && !state.is_last;
            let waited = self.work.wait_timeout_while(state, AFTER_YOU, nothing_presses);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until a server may be asked again; `false` when there is nothing to wait for.
    fn wait(&self, waiting: Waiting, until: Instant, standings: &mut Standings) -> bool {
        let mut state = self.lock();
        state.queue.put_back(waiting);
        state.is_sending = false;
        while !state.wants_pardon {
            state.is_hopeless = true;
            self.rest.notify_all();
            let now = clock::now();
            if state.is_last || now >= until {
                break;
            }
            let woken = self.work.wait_timeout(state, until - now);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if std::mem::take(&mut state.wants_pardon) {
            standings.pardon();
            state.is_hopeless = false;
            return true;
        }
        if state.is_last {
            state.forget_this_thread();
        }
        !state.is_last
    }

    fn send(
        &self,
        server: usize,
        open: &mut Option<(usize, Connection)>,
        waiting: &Waiting,
        lost: u64,
    ) -> Result<(), Failure> {
        let Settings { program, redactor, servers, timeout, authorities, .. } = &self.settings;
        let process = self.process.described(&self.settings);
        let request = message(waiting, lost, program, process, redactor, &servers[server]);
        let bytes = encode_record_error(&request, 0)
            .map_err(|error| Failure::Refused(format!("it cannot be encoded: {error}")))?;
        if let Some((_, mut kept)) = open.take_if(|(kept, _)| *kept == server) {
            match kept.send(&bytes) {
                // The server has closed the connection since.
                Err(Failure::Away(_) | Failure::Later(_)) => {}
                Ok(()) => {
                    self.process.was_sent();
                    *open = Some((server, kept));
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            }
        }
        let mut connection = Connection::open(&servers[server], *timeout, authorities.as_ref())?;
        connection.send(&bytes)?;
        self.process.was_sent();
        *open = Some((server, connection));
        Ok(())
    }

    fn settle(&self, server: usize, mut waiting: Waiting, lost: u64, sent: Result<(), Failure>) {
        let mut state = self.lock();
        let address = &self.settings.servers[server];
        match sent {
            Ok(()) => {
                // Another client may have taken over the losses meanwhile.
                state.queue.lost = state.queue.lost.saturating_sub(lost);
                state.is_hopeless = false;
            }
            Err(failure @ (Failure::Away(_) | Failure::Later(_) | Failure::Unanswered(_))) => {
                if !matches!(failure, Failure::Away(_)) {
                    waiting.reported_lost = Some(lost);
                }
                let lost = state.queue.put_back(waiting);
                state.lose(lost);
                let why = failure.why();
                state.warn(|| {
                    format!(
                        "reports cannot be sent to {address}: {why}. They are kept and sent later"
                    )
                });
            }
            Err(Failure::Refused(why)) => {
                state.queue.lost += waiting.count;
                state.has_lost = true;
                state.warn(|| format!("{address} refuses a report: {why}"));
            }
        }
    }
}

impl State {
    /// The thread ends, and the next report starts another. If a report arrived while this one was
    /// ending, another may already be running.
    fn forget_this_thread(&mut self) {
        let this = thread::current().id();
        self.thread.take_if(|thread| thread.thread().id() == this);
    }

    /// Keeps one warning per process.
    fn warn(&mut self, text: impl FnOnce() -> String) {
        if !std::mem::replace(&mut self.has_warned, true) {
            self.add_warning(text());
        }
    }

    fn add_warning(&mut self, text: String) {
        match &mut self.warning {
            Some(waiting) => *waiting = format!("{waiting}. {text}"),
            None => self.warning = Some(text),
        }
    }

    /// The queue had no room for these occurrences. That is warned of once, even after another
    /// warning.
    fn lose(&mut self, occurrences: u64) {
        if occurrences == 0 {
            return;
        }
        self.has_lost = true;
        if !std::mem::replace(&mut self.has_warned_of_loss, true) {
            self.add_warning(format!(
                "the queue of unsent reports is full; occurrences lost: {occurrences}. The \
                 server is told how many. To keep more, raise queue_reports or queue_bytes of \
                 flawless.init"
            ));
        }
    }
}
