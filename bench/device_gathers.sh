#!/bin/bash
# SPDX-License-Identifier: MIT
# Rows of gathers that regions read where they lie, on the gpu target: time of whole programs by
# `driver time`, smallest of several. usage: device_gathers.sh OUT DRIVER...
# Drivers of two builds are run in turns.
out=$1 work=$(mktemp -d)
shift
embedding() { # batch, table rows
    cat <<TEXT
ids = @param:ids -> int64_type, {$1, 128}
kinds = @param:kinds -> int64_type, {$1, 128}
t = @param:t -> half_type, {$2, 768}
u = @param:u -> half_type, {2, 768}
p = @param:p -> half_type, {128, 768}
a = gather[axis=0](t, ids)
b = gather[axis=0](u, kinds)
c = multibroadcast[out_lens={$1, 128, 768}](p)
d = add(a, b)
e = add(d, c)
n = layer_norm[axis=2, epsilon=1e-12](e)
@return(n)
TEXT
}
rows() { # rows, length
    cat <<TEXT
ids = @param:ids -> int64_type, {$1}
t = @param:t -> half_type, {1000, $2}
y = @param:y -> half_type, {$1, $2}
a = gather[axis=0](t, ids)
b = add(a, y)
c = relu(b)
@return(c)
TEXT
}
embedding 1 30522 >"$work/embedding 1 x 128 x 768.txt"
embedding 32 30522 >"$work/embedding 32 x 128 x 768.txt"
rows 128 64 >"$work/rows 128 x 64.txt"
rows 65536 64 >"$work/rows 65536 x 64.txt"
rows 65536 256 >"$work/rows 65536 x 256.txt"
for text in "$work"/*.txt; do
    echo "== $(basename "$text" .txt)"
    for round in 1 2 3; do
        for driver in "$@"; do
            echo "$driver: $(timeout 30 "$driver" perf --gpu "$text" --fill0 ids kinds -n 100 2>/dev/null |
                grep -iE '^(total time|rate|min)' | tr '\n' ' ')"
        done
    done
done >"$out" 2>&1
