//! How many processes at a time this machine has room for: its cores and memory, as far as this
//! process may use them.

use std::path::{Path, PathBuf};

/// What a training of usual size takes at its height, in bytes, with room to spare.
const PROCESS_BYTES: u64 = 512 << 20;

/// Processes at a time by default. The threads of each are the study's, never the machine's:
/// another number of them gives other last bits. One thread and as many processes as cores is what
/// finishes most cells.
pub(crate) fn default_jobs(threads: usize) -> usize {
    // The affinity of this process, and its control group's share of the processors, are in it.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let room = room(&|file| std::fs::read_to_string(file).ok());
    let fit = room.map_or(usize::MAX, |bytes| {
        usize::try_from(bytes / PROCESS_BYTES).unwrap_or(usize::MAX)
    });
    (cores / threads.max(1)).min(fit).max(1)
}

/// Bytes of memory that could be had without swapping: by the machine as a whole, and by each
/// control group that this process is in. `None` where none of them says.
fn room(read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let text = |file: &str| read(Path::new(file)).unwrap_or_default();
    let machine = available_bytes(&text("/proc/meminfo"));
    let groups = groups(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
    groups
        .iter()
        .filter_map(|group| group.room(read))
        .chain(machine)
        .min()
}

/// The memory that Linux says could be had without swapping.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The folder of a control group that may limit memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    folder: PathBuf,
    version: Version,
}

/// Of Linux's control groups; their files have other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// Files with the limit and with what is in use, and in `memory.stat` the key of what is a
    /// file's and can be dropped at once.
    const fn names(self) -> [&'static str; 3] {
        match self {
            Version::One => [
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            ],
            Version::Two => ["memory.max", "memory.current", "inactive_file"],
        }
    }
}

impl Group {
    /// Bytes up to the limit; `None` where there is no limit.
    fn room(&self, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
        let [limit, usage, droppable] = self.version.names();
        let text = |name: &str| read(&self.folder.join(name)).unwrap_or_default();
        let limit = limit_bytes(&text(limit))?;
        let usage: u64 = text(usage).trim().parse().unwrap_or(0);
        let stat = text("memory.stat");
        let cached = stat
            .lines()
            .find_map(|line| line.split_once(' ').filter(|(key, _)| *key == droppable));
        let cached = cached
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0);
        Some(limit.saturating_sub(usage.saturating_sub(cached)))
    }
}

/// A limit as a control group writes it: a number of bytes, `max`, or a number that no machine has.
fn limit_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|&bytes| bytes < 1 << 60)
}

/// The control groups of a process, from its own up to the highest that can be seen, by its
/// `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn groups(cgroup: &str, mountinfo: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in cgroup.lines() {
        // NUMBER:CONTROLLERS:PATH, where version 2 names no controllers.
        let fields: Vec<&str> = line.splitn(3, ':').collect();
        let [_, controllers, path] = fields[..] else {
            continue;
        };
        let version = match controllers {
            "" => Version::Two,
            some if some.split(',').any(|c| c == "memory") => Version::One,
            _ => continue,
        };
        let Some((root, point)) = mountinfo.lines().find_map(|line| mount(line, version)) else {
            continue;
        };
        // In a container the path may be one of the machine outside, of which only the container's
        // own part is seen.
        let below = Path::new(path)
            .strip_prefix(root)
            .ok()
            .filter(|below| !leaves(below));
        let below = below.filter(|below| !below.as_os_str().is_empty());
        let own = below.map_or_else(
            || PathBuf::from(point),
            |below| Path::new(point).join(below),
        );
        let seen = own
            .ancestors()
            .take_while(|folder| folder.starts_with(point));
        groups.extend(seen.map(|folder| Group {
            folder: folder.to_path_buf(),
            version,
        }));
    }
    groups
}

fn leaves(path: &Path) -> bool {
    path.components()
        .any(|part| part == std::path::Component::ParentDir)
}

/// The root and the place of a mount, where it is one of the memory groups of this version.
fn mount(line: &str, version: Version) -> Option<(&str, &str)> {
    let (place, kind) = line.split_once(" - ")?;
    let (place, kind): (Vec<&str>, Vec<&str>) =
        (place.split(' ').collect(), kind.split(' ').collect());
    let is_ours = match (version, &kind[..]) {
        (Version::Two, ["cgroup2", ..]) => true,
        (Version::One, ["cgroup", _, options, ..]) => {
            options.split(',').any(|option| option == "memory")
        }
        _ => false,
    };
    Some((*place.get(3)?, *place.get(4)?)).filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const MEMINFO: &str = "MemTotal: 9 kB\nMemAvailable:   8000000 kB\nBuffers: 1 kB\n";
    const TWO: &str =
        "25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    const ONE: &str = "33 32 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                       34 32 0:31 / /sys/fs/cgroup/memory rw shared:7 - cgroup cgroup rw,memory\n";

    /// What room there is where these files hold these words.
    fn room_with(files: &[(&str, &str)]) -> Option<u64> {
        let files: BTreeMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.to_string()))
            .collect();
        room(&|path| files.get(path).cloned())
    }

    fn folders(cgroup: &str, mountinfo: &str) -> Vec<String> {
        groups(cgroup, mountinfo)
            .iter()
            .map(|g| g.folder.display().to_string())
            .collect()
    }

    #[test]
    fn available_memory_is_read_where_the_system_tells() {
        assert_eq!(available_bytes(MEMINFO), Some(8_000_000 * 1024));
        assert_eq!(available_bytes(""), None);
        assert_eq!(room_with(&[]), None);
        assert_eq!(
            room_with(&[("/proc/meminfo", MEMINFO)]),
            Some(8_000_000 * 1024)
        );
    }

    #[test]
    fn a_limit_is_a_number_that_a_machine_can_have() {
        assert_eq!(limit_bytes("2147483648\n"), Some(2 << 30));
        for none in ["max\n", "9223372036854771712\n", "", "-1\n"] {
            assert_eq!(limit_bytes(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_groups_of_a_process_go_up_to_the_root() {
        let cgroup = "0::/user.slice/job_7/step_0\n";
        let up = [
            "/user.slice/job_7/step_0",
            "/user.slice/job_7",
            "/user.slice",
            "",
        ]
        .map(|b| format!("/sys/fs/cgroup{b}"));
        assert_eq!(folders(cgroup, TWO), up);
        let cgroup = "5:cpu,cpuacct:/elsewhere\n4:memory:/slurm/job_7\n1:name=systemd:/\n0::/\n";
        let up = ["/slurm/job_7", "/slurm", ""].map(|b| format!("/sys/fs/cgroup/memory{b}"));
        assert_eq!(folders(cgroup, ONE), up);
        // In a container that sees its own part only, by either way of showing it.
        assert_eq!(folders("0::/\n", TWO), ["/sys/fs/cgroup"]);
        let inside = "34 32 0:31 /docker/4f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        assert_eq!(
            folders("4:memory:/docker/4f\n", inside),
            ["/sys/fs/cgroup/memory"]
        );
        assert_eq!(
            folders("4:memory:/docker/4f/a\n", inside),
            ["/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"]
        );
        assert_eq!(
            folders("4:memory:/other\n", inside),
            ["/sys/fs/cgroup/memory"]
        );
        assert_eq!(folders("0::/../outside\n", TWO), ["/sys/fs/cgroup"]);
        assert_eq!(folders("no groups here\n", TWO), Vec::<String>::new());
        assert_eq!(folders("0::/a\n", ""), Vec::<String>::new());
    }

    #[test]
    fn the_narrowest_limit_counts_without_what_is_in_use() {
        let common = [
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "0::/a/b\n"),
            ("/proc/self/mountinfo", TWO),
        ];
        let with = |more: &[(&str, &str)]| room_with(&[&common[..], more].concat());
        assert_eq!(
            with(&[("/sys/fs/cgroup/a/b/memory.max", "max\n")]),
            Some(8_000_000 * 1024)
        );
        // The group above has the limit, not the process's own.
        let above = [
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "2147483648\n"),
        ];
        assert_eq!(with(&above), Some(2 << 30));
        let used = [("/sys/fs/cgroup/a/memory.current", "1610612736\n")];
        assert_eq!(with(&[&above[..], &used].concat()), Some(512 << 20));
        // Files that were read can be dropped from memory.
        let cached = [(
            "/sys/fs/cgroup/a/memory.stat",
            "anon 536870912\nfile 1073741824\ninactive_file 1073741824\n",
        )];
        assert_eq!(
            with(&[&above[..], &used, &cached].concat()),
            Some(1536 << 20)
        );
        let full = [("/sys/fs/cgroup/a/memory.current", "9999999999\n")];
        assert_eq!(with(&[&above[..], &full].concat()), Some(0));
    }

    #[test]
    fn version_one_has_a_number_for_no_limit() {
        let at = |limit: &str| {
            room_with(&[
                ("/proc/meminfo", MEMINFO),
                ("/proc/self/cgroup", "4:memory:/job\n0::/\n"),
                ("/proc/self/mountinfo", ONE),
                ("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", limit),
                (
                    "/sys/fs/cgroup/memory/job/memory.usage_in_bytes",
                    "1073741824\n",
                ),
                (
                    "/sys/fs/cgroup/memory/job/memory.stat",
                    "inactive_file 1\ntotal_inactive_file 536870912\n",
                ),
            ])
        };
        assert_eq!(at("9223372036854771712\n"), Some(8_000_000 * 1024));
        assert_eq!(at("1073741824\n"), Some(512 << 20));
    }
}
