//! Describes the process to the server. Its modules are sent until a server has taken them once,
//! from then on only their hash.
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use flawless_protocol::thrift;

use crate::settings::Settings;

#[derive(Debug, Default)]
pub(crate) struct Process {
    modules: OnceLock<(String, BTreeMap<String, String>)>,
    is_told: AtomicBool,
}

impl Process {
    /// Looks for the modules on the first call; only the sending thread calls it.
    pub(crate) fn described(&self, settings: &Settings) -> thrift::Process {
        let runtime = Some(settings.program.runtime.clone()).filter(|runtime| !runtime.is_empty());
        let mut process = thrift::Process { runtime, ..thrift::Process::default() };
        if let Some(modules) = &settings.modules {
            let (id, modules) = self.modules.get_or_init(|| {
                let found = (modules.find)(&modules.folders);
                (hash(&found), found)
            });
            process.modules_id = Some(id.clone());
            if !self.is_told.load(Ordering::Relaxed) {
                process.modules = modules.clone();
            }
        }
        process
    }

    /// A server has taken a report.
    pub(crate) fn was_sent(&self) {
        self.is_told.store(true, Ordering::Relaxed);
    }
}

fn hash(modules: &BTreeMap<String, String>) -> String {
    let of = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, modules).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", of(0), of(1))
}
