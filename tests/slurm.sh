#!/usr/bin/env bash
# Runs the tests of pipelines/cluster on a temporary single-node Slurm on this machine. Not part of `make test`:
#   sudo apt-get install --no-install-recommends slurm-wlm munge     once
#   tests/slurm.sh [ARGUMENTS OF THE TEST]                           as root, after `make build`
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo 'slurmd needs root to start jobs: run this as root' >&2; exit 1; }
export PATH=$PATH:/usr/sbin
for program in munged slurmctld slurmd; do
    command -v "$program" >/dev/null || { echo "there is no $program: apt-get install slurm-wlm munge" >&2; exit 1; }
done

# Jobs start in a clean environment, so SLURM_CONF would not reach them: the configuration is at its default path.
conf=/etc/slurm/slurm.conf
[ ! -e "$conf" ] || { echo "there is a $conf: this machine has a Slurm already" >&2; exit 1; }
folder=$(mktemp -d)
pids=()
take_down() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder" "$conf"
}
trap take_down EXIT
# munged requires that nobody else can write to the folders above its socket.
chmod 755 "$folder"

host=$(hostname -s)
memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
mkdir -p "${conf%/*}"
cat >"$conf" <<END
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No control groups: a container may lack them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# Snakemake polls squeue, which forgets a job this many seconds after its end.
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$((memory * 9 / 10)) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
dd if=/dev/urandom of="$folder/munge/key" bs=1024 count=1 status=none
chmod 400 "$folder/munge/key"
munged --foreground --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --seed-file="$folder/munge/seed" --log-file="$folder/munge/log" >/dev/null 2>&1 &
pids+=($!)
slurmctld -D >/dev/null 2>&1 &
pids+=($!)
slurmd -D >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
    sleep 1
done
[ "$(sinfo --noheader --format=%T)" = idle ] || { tail "$folder"/*.log >&2; exit 1; }

export MOOD_TEST_CLUSTER="--profile $PWD/pipelines/cluster/profiles/slurm --slurm-status-command squeue \
    --slurm-init-seconds-before-status-checks 2 --seconds-between-status-checks 2 --latency-wait 10"
cargo test -p mood-tests --test cluster -- --test-threads 1 "$@"
