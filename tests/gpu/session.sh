#!/bin/sh
# One full session on a machine with a GPU: records the machine, runs every test that needs a
# GPU, and keeps what the program prints. Usage: sh tests/gpu/session.sh FOLDER
folder=$1
python=${PYTHON:-python3}
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
mkdir -p "$folder/machine" "$folder/said"
said=$folder/said
doctor() { name=$1; shift; start=$(date +%s.%N); timeout 240 $python -m gpudoctor "$@" >"$said/$name" 2>"$said/$name.err"; code=$?; end=$(date +%s.%N); echo "$name: exit $code, $(echo "$end $start" | awk '{printf "%.2f", $1-$2}') s"; }
$python tests/gpu/record.py "$folder/machine"
doctor facts.json facts
doctor facts-whole.json facts --no-redact
doctor check.json check --json
doctor check.txt check -v
doctor check-off.json check --json --smoke off
doctor quick.json smoke --json
doctor quick.txt smoke -v
doctor full.json smoke --level full --json -v --advice "$said/advice.yaml"
$python tests/benchmarks/bench_smoke.py --python $python >"$said/bench_smoke.txt" 2>&1
doctor scan.json scan --json "$($python -c 'import torch, os; print(os.path.dirname(torch.__file__))')/lib"
(export CUDA_VISIBLE_DEVICES=; doctor masked.json check --json)
(export CUDA_VISIBLE_DEVICES=7; doctor masked7.json check --json)
timeout 280 $python -m pytest -p no:cacheprovider tests/gpu -m gpu -rs --durations=10 >"$said/pytest.txt" 2>&1
echo "pytest: exit $?"
tail -5 "$said/pytest.txt"
