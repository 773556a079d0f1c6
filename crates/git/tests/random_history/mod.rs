//! Random histories as `git fast-import` reads them: branches that merge each other, files that
//! are edited, moved, copied, reindented, and content that no editor would write.
use std::collections::BTreeMap;

const BRANCHES: usize = 4;
const COMMITS: usize = 45;

/// A small generator of random numbers: the same ones for the same seed, everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

type Lines = Vec<Vec<u8>>;
type Files = BTreeMap<Vec<u8>, Lines>;

/// A branch: its newest commit's mark and its files.
#[derive(Clone, Default)]
struct Branch {
    mark: usize,
    files: Files,
    /// Paths that are a link (true) or a submodule just now, whatever their content.
    odd: BTreeMap<Vec<u8>, bool>,
}

/// A history for `git fast-import`.
pub(crate) struct History {
    pub(crate) stream: Vec<u8>,
}

const NAMES: [&[u8]; 8] = [
    b"a.py",
    b"b.py",
    b"lib/a.py",
    b"lib/c.py",
    b"lib/deep/a.py",
    b"\xe4.py",
    b"\xc3\xa4/b.py",
    b"a b.py",
];

impl History {
    pub(crate) fn make(random: &mut Random) -> Self {
        let mut stream = Vec::new();
        let mut branches: Vec<Option<Branch>> = vec![None; BRANCHES];
        for mark in 1..=COMMITS {
            let at = random.below(BRANCHES);
            let others: Vec<Branch> = branches.iter().flatten().cloned().collect();
            let mut branch = match &branches[at] {
                Some(branch) => branch.clone(),
                // A new branch from another one, or rarely a root of its own.
                None if !others.is_empty() && random.chance(90) => random.pick(&others).clone(),
                None => Branch::default(),
            };
            let mut parents = vec![branch.mark];
            if random.chance(25) {
                for _ in 0..1 + random.below(3) {
                    if let Some(other) = (!others.is_empty()).then(|| random.pick(&others))
                        && !parents.contains(&other.mark)
                    {
                        parents.push(other.mark);
                        merge(random, &mut branch.files, &other.files);
                    }
                }
            }
            // A merge mostly changes nothing of its own.
            if parents.len() == 1 || random.chance(30) {
                for _ in 0..1 + random.below(3) {
                    change(random, &mut branch.files);
                }
            }
            if random.chance(15) {
                let name = random.pick(&NAMES).to_vec();
                if branch.odd.remove(&name).is_none() {
                    branch.odd.insert(name, random.chance(50));
                }
            }
            parents.retain(|&parent| parent != 0);
            branch.mark = mark;
            write_commit(random, &mut stream, at, &branch, &parents);
            branches[at] = Some(branch);
        }
        Self { stream }
    }
}

fn write_commit(
    random: &mut Random,
    stream: &mut Vec<u8>,
    at: usize,
    branch: &Branch,
    parents: &[usize],
) {
    let mark = branch.mark;
    // Clocks differ: times go back now and then.
    let time = 1_700_000_000 + mark * 100 - random.below(400);
    let who = format!("P{} <p{}@example.com> {time} +0000", mark % 5, mark % 5);
    stream.extend(format!("commit refs/heads/b{at}\nmark :{mark}\nauthor {who}\n").bytes());
    stream.extend(format!("committer {who}\ndata 2\nc\n").bytes());
    for (nth, parent) in parents.iter().enumerate() {
        let word = if nth == 0 { "from" } else { "merge" };
        stream.extend(format!("{word} :{parent}\n").bytes());
    }
    stream.extend(b"deleteall\n");
    for (path, lines) in &branch.files {
        let mode = if lines.len() % 7 == 3 { "100755" } else { "100644" };
        let content = lines.concat();
        let mode = match branch.odd.get(path) {
            Some(true) => "120000",
            Some(false) => {
                let quoted: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
                let id = "0123456789".repeat(4);
                stream.extend(format!("M 160000 {id} \"{quoted}\"\n").bytes());
                continue;
            }
            None => mode,
        };
        let quoted: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
        stream.extend(format!("M {mode} inline \"{quoted}\"\ndata {}\n", content.len()).bytes());
        stream.extend(&content);
        stream.push(b'\n');
    }
    stream.push(b'\n');
}

/// Each file from one of the sides, or half of each.
fn merge(random: &mut Random, files: &mut Files, others: &Files) {
    for (path, theirs) in others {
        match files.get_mut(path) {
            Some(ours) if ours != theirs => match random.below(4) {
                0 => ours.clone_from(theirs),
                1 => {
                    let half = random.below(ours.len().min(theirs.len()) + 1);
                    ours.truncate(half);
                    ours.extend_from_slice(&theirs[half..]);
                }
                _ => {}
            },
            Some(_) => {}
            None if random.chance(70) => {
                files.insert(path.clone(), theirs.clone());
            }
            None => {}
        }
    }
}

fn change(random: &mut Random, files: &mut Files) {
    let paths: Vec<Vec<u8>> = files.keys().cloned().collect();
    let name = random.pick(&NAMES).to_vec();
    if paths.is_empty() || files.len() < 3 && random.chance(50) {
        let lines = (0..10 + random.below(60)).map(|_| line(random)).collect();
        files.insert(name, lines);
        return;
    }
    let path = random.pick(&paths).clone();
    match random.below(16) {
        0 | 1 => {
            // Renamed, perhaps over another file, perhaps edited as well.
            let mut lines = files.remove(&path).unwrap_or_default();
            for _ in 0..random.below(4) {
                edit(random, &mut lines);
            }
            files.insert(name, lines);
        }
        2 => {
            let lines = files[&path].clone();
            files.insert(name, lines);
        }
        3 if files.len() > 2 => {
            files.remove(&path);
        }
        4 => {
            // One file becomes two, or two change places.
            let other = random.pick(&paths).clone();
            let (ours, theirs) = (files[&path].clone(), files[&other].clone());
            files.insert(path, theirs);
            files.insert(other, ours);
        }
        _ => {
            let lines = files.get_mut(&path).expect("a file");
            for _ in 0..1 + random.below(4) {
                edit(random, lines);
            }
        }
    }
}

fn edit(random: &mut Random, lines: &mut Lines) {
    let at = random.below(lines.len() + 1);
    let to = (at + random.below(8)).min(lines.len());
    match random.below(14) {
        0..4 => {
            let new: Lines = (0..1 + random.below(6)).map(|_| line(random)).collect();
            lines.splice(at..at, new);
        }
        4 | 5 => {
            lines.drain(at..to);
        }
        6 | 7 => {
            let new: Lines = (at..to).map(|_| line(random)).collect();
            lines.splice(at..to, new);
        }
        8 => {
            // A repeated block close by makes hunks that can slide.
            let block = lines[at..to].to_vec();
            lines.splice(to..to, block);
        }
        9 => {
            let block: Lines = lines.drain(at..to).collect();
            let target = random.below(lines.len() + 1);
            lines.splice(target..target, block);
        }
        10 => {
            let pad = *random.pick(&[&b"    "[..], b"\t", b" "]);
            for line in &mut lines[at..to] {
                if random.chance(50) && line.starts_with(b" ") {
                    line.remove(0);
                } else {
                    line.splice(0..0, pad.iter().copied());
                }
            }
        }
        11 => {
            // All line ends change, or only some.
            for line in lines.iter_mut() {
                if line.ends_with(b"\r\n") {
                    line.truncate(line.len() - 2);
                    line.push(b'\n');
                } else if line.ends_with(b"\n") && random.chance(80) {
                    line.insert(line.len() - 1, b'\r');
                }
            }
        }
        12 => reformat(random, lines),
        _ => match lines.last_mut() {
            Some(last) if last.ends_with(b"\n") => {
                last.pop();
                if last.is_empty() {
                    lines.pop();
                }
            }
            Some(_) if random.chance(10) => lines.clear(),
            _ => {}
        },
    }
    // Only the last line may lack its end.
    let count = lines.len();
    for line in lines.iter_mut().take(count.saturating_sub(1)) {
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
    }
}

/// What a formatter does: other quotes, spaces around operators, long lines broken.
fn reformat(random: &mut Random, lines: &mut Lines) {
    let old = std::mem::take(lines);
    for line in old {
        let text: Vec<u8> = line
            .iter()
            .flat_map(|&byte| match byte {
                b'\'' => b"\"".to_vec(),
                b'=' => b" = ".to_vec(),
                byte => vec![byte],
            })
            .collect();
        match text.iter().position(|byte| *byte == b',') {
            Some(at) if random.chance(60) => {
                lines.push([&text[..=at], b"\n"].concat());
                lines.push([b"        ", &text[at + 1..]].concat());
            }
            _ => lines.push(text),
        }
    }
}

/// A line that often occurs, or one that is nearly unique.
fn line(random: &mut Random) -> Vec<u8> {
    const COMMON: [&[u8]; 14] = [
        b"\n",
        b"\n",
        b"    return x\n",
        b"}\n",
        b"    pass\n",
        b"        pass\n",
        b"\t}\n",
        b"def f(a, b):\n",
        b"\x0c\n",
        b"  \n",
        b"x\ry\n",
        b"\x0b    y\n",
        b"caf\xe9 = '1'\n",
        b"bin\0ary\n",
    ];
    if random.chance(45) {
        return random.pick(&COMMON).to_vec();
    }
    let indent = " ".repeat(4 * random.below(4));
    let (a, b, c) = (random.below(9), random.below(40), random.below(3000));
    format!("{indent}value_{a}=call_{b}('text', arg{c}, more='{c}')\n").into_bytes()
}
