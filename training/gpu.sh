#!/usr/bin/env bash
# The whole training on one GPU by the clock: `training/gpu.sh DATA RUNS SECONDS`. Teachers train side by side for 0.52 of the
# time; then their lessons are made and students learn from those that are there. Python with the packages of requirements.txt
# must be `python3`. TEACHERS and STUDENTS name configurations, each as NAME:CONFIG[:SEED].
set -euo pipefail
[ $# = 3 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
data=$(realpath "$1") runs=$(realpath -m "$2") begin=$(date +%s) seconds=$3
cd "$(dirname "$0")"
teachers=${TEACHERS:-resnet-1:teacher_resnet:1 resnet-2:teacher_resnet:5 vgg-1:teacher_vgg:2 vgg-2:teacher_vgg:6}
students=${STUDENTS:-small:small_gpu:11 large:large_gpu:12}
views=${VIEWS:-64} holdout=0.04
export PYTHONUNBUFFERED=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
jobs=()

# Seconds until a share of the time, in percent, has passed.
left() { echo $((begin + seconds * $1 / 100 - $(date +%s))); }

train() {
    local name config seed
    IFS=: read -r name config seed <<<"$1"
    shift
    mkdir -p "$runs/$name"
    python3 train.py --data "$data" --holdout $holdout --out "$runs/$name" --config "configs/$config.toml" \
        ${seed:+--seed "$seed"} "$@" >"$runs/$name/output.txt" 2>&1 &
    jobs+=($!)
}

finish() {
    local failed=0
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    jobs=()
    [ $failed = 0 ] || { tail -n 5 "$runs"/*/output.txt >&2; exit 1; }
}

for teacher in $teachers; do train "$teacher" --seconds "$(left 52)"; done
finish
models=()
for teacher in $teachers; do models+=(--teacher "$runs/${teacher%%:*}/model.pt"); done
echo "teachers: $(($(date +%s) - begin)) s"
half=$((views / 2))
mkdir -p "$runs/lessons"
for first in 0 $half; do
    python3 lessons.py --data "$data" --holdout $holdout --out "$runs/lessons" --first "$first" --views $half \
        --geometry 0.8 --light 0.35 --mixup 0.15 --cutmix 0.15 "${models[@]}" >"$runs/lessons/output-$first.txt" 2>&1 &
    jobs+=($!)
done
while [ "$(find "$runs/lessons" -name 'view-*.pt' | wc -l)" -lt $((views < 6 ? views : 6)) ]; do
    sleep 0.5
    kill -0 "${jobs[0]}" 2>/dev/null || [ -e "$runs/lessons/view-000.pt" ] || finish
done
echo "first lessons: $(($(date +%s) - begin)) s"
export MEMORY_FORMAT=${STUDENT_FORMAT:-}
for student in $students; do train "$student" --lessons "$runs/lessons" --seconds "$(left 97)"; done
finish
echo "students: $(($(date +%s) - begin)) s"
