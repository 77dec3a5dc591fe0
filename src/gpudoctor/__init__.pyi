from gpudoctor.app import check as check
from gpudoctor.app import explain as explain
from gpudoctor.app import facts as facts
from gpudoctor.app import fix as fix
from gpudoctor.app import plan as plan
from gpudoctor.app import report as report
from gpudoctor.app import scan as scan
from gpudoctor.app import smoke as smoke
from gpudoctor.app import triage as triage
from gpudoctor.app import undo as undo
from gpudoctor.hooks import RequirementError as RequirementError
from gpudoctor.hooks import diagnose as diagnose
from gpudoctor.hooks import explain_errors as explain_errors
from gpudoctor.hooks import install_excepthook as install_excepthook
from gpudoctor.hooks import load_ipython_extension as load_ipython_extension
from gpudoctor.hooks import require as require
from gpudoctor.results import Diagnosis as Diagnosis
from gpudoctor.results import Report as Report

__version__: str
