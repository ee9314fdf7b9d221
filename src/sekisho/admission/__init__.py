"""The webhook server: AdmissionReviews in, verdicts of the newest snapshot out."""

from sekisho.admission.answer import Manner, OnFailure
from sekisho.admission.judge import HOOKS, Answer, Asking, Exempt, Hook, Repair, Settings
from sekisho.admission.service import Observed, Observer, Options, Service
from sekisho.admission.snapshot import WEBHOOK, Edition, Latest, Snapshot, Snapshots, Timed

__all__ = [
    "HOOKS",
    "WEBHOOK",
    "Answer",
    "Asking",
    "Edition",
    "Exempt",
    "Hook",
    "Latest",
    "Manner",
    "Observed",
    "Observer",
    "OnFailure",
    "Options",
    "Repair",
    "Service",
    "Settings",
    "Snapshot",
    "Snapshots",
    "Timed",
]
