"""The signals that ask a run to stop, as far as this system has them."""

import signal


def present(*names: str) -> tuple[signal.Signals, ...]:
    """Those of the named signals that exist here; Windows lacks SIGUSR1, SIGUSR2 and SIGCHLD."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def announcements() -> tuple[signal.Signals, ...]:
    """Signals with which schedulers announce the time limit of a job."""
    return present("SIGUSR1", "SIGUSR2")


def hangup() -> tuple[signal.Signals, ...]:
    """SIGHUP, which a closed terminal sends, unless the process ignores it, as under ``nohup``."""
    return tuple(
        signum for signum in present("SIGHUP") if signal.getsignal(signum) is not signal.SIG_IGN
    )
