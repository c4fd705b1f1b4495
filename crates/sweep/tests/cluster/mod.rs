//! A private Slurm cluster for tests: a controller and three nodes on this host, in a temporary
//! folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const NODES: usize = 3;

/// A cluster that runs until it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts a cluster in a new folder, or returns why that is not possible.
    pub fn start(folder: &Path) -> Result<Self, String> {
        for program in ["munged", "slurmctld", "slurmd", "sbatch"] {
            find(program).ok_or(format!(
                "no '{program}' on this machine (Debian: slurm-wlm and munge)"
            ))?;
        }
        for below in ["state", "spool", "log"] {
            fs::create_dir_all(folder.join(below)).map_err(|e| e.to_string())?;
        }
        let mut cluster = Cluster {
            folder: folder.to_path_buf(),
            daemons: Vec::new(),
        };
        cluster.write_files().map_err(|e| e.to_string())?;
        let file = |name: &str| cluster.folder.join(name).display().to_string();
        let munge = [
            "--foreground".to_string(),
            // The permissions of the parent folders may not satisfy munge.
            "--force".to_string(),
            format!("--socket={}", file("munge.socket")),
            format!("--key-file={}", file("munge.key")),
            format!("--pid-file={}", file("munge.pid")),
            format!("--seed-file={}", file("munge.seed")),
            format!("--log-file={}", file("log/munge.txt")),
        ];
        cluster.daemon("munged", &munge)?;
        let begin = Instant::now();
        while !cluster.folder.join("munge.socket").exists()
            && begin.elapsed() < Duration::from_secs(20)
        {
            sleep(Duration::from_millis(50));
        }
        cluster.daemon("slurmctld", &["-D".to_string(), "-c".to_string()])?;
        for n in 1..=NODES {
            cluster.daemon(
                "slurmd",
                &["-D".to_string(), "-N".to_string(), format!("n{n}")],
            )?;
        }
        let begin = Instant::now();
        while cluster.idle_nodes() < NODES {
            if begin.elapsed() > Duration::from_secs(60) {
                return Err(format!("Slurm does not start here\n{}", cluster.logs()));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(cluster)
    }

    /// The path for `SLURM_CONF`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    /// The last lines of each daemon's log.
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(self.folder.join("log"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(15)..].join("\n");
            all.push_str(&format!("{}:\n{tail}\n", entry.file_name().display()));
        }
        all
    }

    fn write_files(&self) -> std::io::Result<()> {
        let d = self.folder.display();
        let user = output("id", &["-un"]);
        let host = output("hostname", &[]);
        let mut ports = free_ports(NODES + 1)?.into_iter();
        let controller = ports.next().unwrap_or_default();
        // No control groups, accounting or switch plugins: a configuration that works without
        // privileges.
        let mut config = format!(
            "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={d}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={d}/state
SlurmdSpoolDir={d}/spool/%n
SlurmctldPidFile={d}/slurmctld.pid
SlurmdPidFile={d}/slurmd-%n.pid
SlurmctldLogFile={d}/log/slurmctld.txt
SlurmdLogFile={d}/log/slurmd-%n.txt
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
KillWait=2
MaxArraySize=4
GresTypes=gpu
"
        );
        for (n, port) in (1..).zip(ports) {
            let node = format!("NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}");
            config.push_str(&format!("{node} CPUs=2 RealMemory=2000 Gres=gpu:1\n"));
            fs::create_dir_all(self.folder.join(format!("spool/n{n}")))?;
        }
        config.push_str(&format!(
            "PartitionName=usual Nodes=n[1-{NODES}] Default=YES MaxTime=INFINITE State=UP\n"
        ));
        fs::write(self.config(), config)?;
        // Slurm can assign a GPU number without a GPU.
        fs::write(
            self.folder.join("gres.conf"),
            format!("NodeName=n[1-{NODES}] Name=gpu File=/dev/null\n"),
        )?;
        let key = self.folder.join("munge.key");
        let mut bytes = vec![0; 128];
        std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
        fs::write(&key, bytes)?;
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600))
    }

    fn daemon(&mut self, name: &str, arguments: &[String]) -> Result<(), String> {
        let program = find(name).unwrap_or_else(|| name.into());
        let log = fs::File::create(
            self.folder
                .join(format!("log/{name}-{}-stderr.txt", self.daemons.len())),
        )
        .map_err(|e| e.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", self.config());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.daemons
            .push(command.spawn().map_err(|e| format!("{name}: {e}"))?);
        Ok(())
    }

    fn idle_nodes(&self) -> usize {
        let output = Command::new("sinfo")
            .args(["--noheader", "--Node", "--format=%t"])
            .env("SLURM_CONF", self.config())
            .stderr(Stdio::null())
            .output();
        output.map_or(0, |o| {
            String::from_utf8_lossy(&o.stdout)
                .lines()
                .filter(|line| *line == "idle")
                .count()
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Jobs first: their processes would outlive the daemons.
        let config = self.config();
        let slurm = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .env("SLURM_CONF", &config)
                .stderr(Stdio::null())
                .output()
        };
        let _ = slurm("scancel", &["--partition=usual"]);
        let begin = Instant::now();
        while slurm("squeue", &["--noheader"]).is_ok_and(|o| !o.stdout.is_empty())
            && begin.elapsed() < Duration::from_secs(15)
        {
            sleep(Duration::from_millis(100));
        }
        for daemon in self.daemons.iter_mut().rev() {
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let begin = Instant::now();
            while daemon.try_wait().is_ok_and(|ended| ended.is_none())
                && begin.elapsed() < Duration::from_secs(10)
            {
                sleep(Duration::from_millis(20));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// The path of a program; daemons are in folders that are not on a user's PATH.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([
        "/usr/sbin".into(),
        "/sbin".into(),
        "/usr/local/sbin".into(),
    ]);
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string())
        .unwrap_or_default()
}

fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    // All listeners at the same time, so that no port is returned twice.
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<std::io::Result<_>>()?;
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect()
}
