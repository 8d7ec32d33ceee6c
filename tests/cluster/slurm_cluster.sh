#!/usr/bin/env bash
# An actual SLURM cluster of two nodes on this machine, for tests. As root on Debian, after
#   apt-get install slurmctld slurmd slurm-client munge
# `slurm_cluster.sh start FOLDER` writes FOLDER/slurm.conf and prints the line that makes the
# commands of SLURM use it; `slurm_cluster.sh stop FOLDER` ends the cluster.
set -euo pipefail
action=$1 folder=$2

stop() {
    for file in "$folder"/*.pid; do
        if [ -f "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

start() {
    mkdir -p "$folder"/{state,n1,n2}
    cat >"$folder/slurm.conf" <<CONF
ClusterName=symbotunes
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmctldPort=$(free_port)
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
JobRequeue=1
AuthInfo=cred_expire=5
SlurmdParameters=config_overrides
KillWait=30
ReturnToService=2
RebootProgram=/bin/true
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=8 RealMemory=1000
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=8 RealMemory=1000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
    mkdir -p /run/munge
    chown munge: /run/munge
    pgrep -x munged >/dev/null || runuser -u munge -- munged
    slurmctld -f "$folder/slurm.conf"
    slurmd -f "$folder/slurm.conf" -N n1
    slurmd -f "$folder/slurm.conf" -N n2
    export SLURM_CONF=$folder/slurm.conf
    for _ in {1..300}; do  # tenths of a second
        if [ "$(sinfo -h -N -o %t | sort -u)" = idle ]; then break; fi
        sleep 0.1
    done
    echo "export SLURM_CONF=$folder/slurm.conf"
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "start FOLDER or stop FOLDER" >&2; exit 2 ;;
esac
