#!/usr/bin/env bash
# One step of the training on a GPU: `training/gpu.sh teachers DATA RUNS`, then `training/gpu.sh students DATA RUNS`, which
# has the teachers' lessons made first. The networks of a step train side by side, since none of them fills the device. A
# step that was cut off goes on when it is called again. TEACHERS="1 2 3" are the teachers' seeds; what takes too long can
# be cut with EPOCHS, and VIEWS is how many views of the faces there are lessons for.
set -euo pipefail
[ $# = 3 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
step=$1 data=$(realpath "$2") runs=$(realpath -m "$3")
cd "$(dirname "$0")"
seeds=${TEACHERS:-1 2 3}
jobs=()

start() {
    local name=$1
    shift
    [ ! -e "$runs/$name/model.pt" ] || return 0
    mkdir -p "$runs/$name"
    python3 train.py --data "$data" --out "$runs/$name" ${EPOCHS:+--epochs "$EPOCHS"} "$@" \
        > >(sed -u "s/^/$name: /" | tee -a "$runs/$name/output.txt") 2>&1 &
    jobs+=($!)
}

case $step in
teachers)
    for seed in $seeds; do
        start "teacher-$seed" --config configs/teacher.toml --seed "$seed"
    done ;;
students)
    teachers=()
    for seed in $seeds; do
        teachers+=(--teacher "$runs/teacher-$seed/model.pt")
    done
    python3 lessons.py --data "$data" --out "$runs/lessons" --views "${VIEWS:-40}" "${teachers[@]}"
    for network in mini_xception mini_xception_large; do
        start "$network" --config "configs/$network.toml" --lessons "$runs/lessons"
    done ;;
*) echo "gpu.sh: no step '$step': teachers or students" >&2; exit 2 ;;
esac

failed=0
for job in "${jobs[@]}"; do
    wait "$job" || failed=1
done
exit $failed
