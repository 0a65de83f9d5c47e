#!/usr/bin/env bash
# Times a full build of a generated company and prints the figures as a table.
#   scripts/bench.sh BINARY FOLDER        with EVENTS, DAYS and SEED from the environment
# Wall and CPU seconds are the shell's, peak memory is the kernel's high-water mark (VmHWM).
set -euo pipefail

binary=$(realpath "$1")
folder=$2
events=${EVENTS:-1000000}
days=${DAYS:-90}
seed=${SEED:-7}

rm -rf "$folder"
mkdir -p "$folder"
folder=$(realpath "$folder")

# Runs a command; its output goes to a file, its figures become a row of the table.
measure() {
    local label=$1 log="$folder/$1.log" peak_kib=0 key value pid times status=0
    shift
    times="$folder/times"
    { TIMEFORMAT='%R %U %S'; time {
        "$@" >"$log" 2>&1 &
        pid=$!
        while kill -0 "$pid" 2>/dev/null; do
            while read -r key value _; do
                if [[ $key == VmHWM: ]] && ((value > peak_kib)); then peak_kib=$value; fi
            done 2>/dev/null <"/proc/$pid/status" || true
            sleep 0.2
        done
        wait "$pid" || status=$?
    } 2>&3; } 3>&2 2>"$times"
    if ((status != 0 && status != 3)); then # 3: finished, with failed checks
        echo "bench: \`$*\` failed with status $status:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
    awk -v label="$label" -v peak="$peak_kib" \
        '{ printf "| %-8s | %9.1f | %9.1f | %9.0f |\n", label, $1, $2 + $3, peak / 1024 }' "$times"
}

echo "$("$binary" --version), $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg)"
echo "EVENTS=$events DAYS=$days SEED=$seed"
echo
echo "| step     |    wall s |     CPU s |  peak MiB |"
echo "|----------|----------:|----------:|----------:|"
measure generate "$binary" generate \
    --events "$events" --days "$days" --seed "$seed" --out "$folder/exports"
measure init "$binary" init "$folder/project" --from "$folder/exports" --yes
measure build "$binary" run --project "$folder/project" --quiet
measure again "$binary" run --project "$folder/project" --quiet
measure query "$binary" query --project "$folder/project" \
    "select count(*) as events from star.journey_event"
echo
size() { du -sh "$1" | cut -f1; }
echo "on disk: exports $(size "$folder/exports"), project $(size "$folder/project")"
