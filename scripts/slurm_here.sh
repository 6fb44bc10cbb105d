#!/usr/bin/env bash
# A Slurm of one machine for tests: `slurm_here.sh start FOLDER` prints the SLURM_CONF to use, `slurm_here.sh stop FOLDER`
# ends it. Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge, and installs nothing. Everything lies in
# FOLDER, but munge's key and socket, which are the system's.
set -euo pipefail

start() {
    local folder=$1 host cpus memory
    host=$(hostname -s)
    cpus=$(nproc)
    memory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.8) }' /proc/meminfo)
    mkdir -p "$folder"/{state,spool,log}
    cat >"$folder/slurm.conf" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MinJobAge=3600
SchedulerParameters=sched_interval=1,defer
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=tests Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    # without them the daemons have no place for their sockets and tokens
    mkdir -p /run/munge /var/log/munge /var/lib/munge
    chown munge: /run/munge /var/log/munge /var/lib/munge
    [ -s /etc/munge/munge.key ] || runuser -u munge -- /usr/sbin/mungekey
    munge -n >/dev/null 2>&1 || runuser -u munge -- /usr/sbin/munged
    export SLURM_CONF=$folder/slurm.conf
    slurmctld >"$folder/log/start" 2>&1
    slurmd >>"$folder/log/start" 2>&1
    for _ in $(seq 100); do
        if sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
            echo "$SLURM_CONF"
            return
        fi
        sleep 0.2
    done
    echo "Slurm did not come up; what it said is in $folder/log" >&2
    exit 1
}

stop() {
    local folder=$1 daemon
    for daemon in slurmd slurmctld; do
        [ ! -e "$folder/$daemon.pid" ] || kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
    done
}

case "${1:-}" in
    start | stop) "$1" "$(mkdir -p "$2" && realpath "$2")" ;;
    *)
        sed -n '2,4s/^# //p' "$0"
        exit 2
        ;;
esac
