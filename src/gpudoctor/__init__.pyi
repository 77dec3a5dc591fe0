from gpudoctor.hooks import Diagnosis as Diagnosis
from gpudoctor.hooks import RequirementError as RequirementError
from gpudoctor.hooks import diagnose as diagnose
from gpudoctor.hooks import explain_errors as explain_errors
from gpudoctor.hooks import install_excepthook as install_excepthook
from gpudoctor.hooks import require as require

__version__: str
