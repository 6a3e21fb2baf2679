#!/bin/bash
# SPDX-License-Identifier: MIT
# Operators that choose, draw numbers or have sizes that only a run tells, pads before regions, and
# products with weights of four bits, on the gpu target: time of whole programs by `driver perf`.
# usage: device_choices.sh OUT DRIVER...
# Drivers of two builds are run in turns.
out=$1 work=$(mktemp -d)
shift
suppression() { # boxes, classes, whether the result has its own size
    cat <<TEXT
b = @param:b -> float_type, {1, $1, 4}
s = @param:s -> float_type, {1, $2, $1}
m = @literal{300} -> int64_type, {1}
i = @literal{0.45} -> float_type, {1}
t = @literal{0.25} -> float_type, {1}
c = relu(s)
n = nonmaxsuppression[use_dyn_output=$3](b, c, m, i, t)
o = abs(n)
@return(o)
TEXT
}
uniform() { # numbers
    cat <<TEXT
x = @param:x -> float_type, {$1}
r = random_seed()
u = random_uniform(r, x)
y = add(u, x)
@return(y)
TEXT
}
cut() { # rows: bounds that the program computes
    cat <<TEXT
x = @param:x -> half_type, {$1, 768}
n = @param:n -> int64_type, {1}
zero = @literal{0} -> int64_type, {1}
a = relu(x)
m = add(n, n)
r = slice_dynamic(a, zero, m)
b = neg(r)
@return(b)
TEXT
}
distinct() { # elements
    cat <<TEXT
x = @param:x -> int32_type, {$1}
a = abs(x)
u = unique(a)
v = get_tuple_elem[index=0](u)
b = neg(v)
@return(b)
TEXT
}
padded() { # channels, side
    cat <<TEXT
x = @param:x -> half_type, {8, $1, $2, $2}
y = @param:y -> half_type, {8, $((2 * $1)), $2, $2}
p = pad[pads={0, $(($1 / 2)), 0, 0, 0, $(($1 / 2)), 0, 0}](x)
a = add(p, y)
r = relu(a)
@return(r)
TEXT
}
four_bits() { # rows, columns, depth
    cat <<TEXT
x = @param:x -> half_type, {$1, $3}
q = @literal:random(1) -> uint8_type, {$2, $(($3 / 2))}
s = @literal:random(2) -> half_type, {$2, $(($3 / 32))}
y = block_dot[bits=4,block=32](x, q, s)
@return(y)
TEXT
}
for n in 1000 8400 25200; do suppression $n 1 0 >"$work/01 boxes $n x 1.txt"; done
suppression 8400 80 0 >"$work/02 boxes 8400 x 80.txt"
suppression 8400 80 1 >"$work/03 boxes 8400 x 80, own size.txt"
for n in 1024 1048576; do uniform $n >"$work/04 uniform $n.txt"; done
cut 65536 >"$work/05 slice of 65536 x 768.txt"
distinct 1048576 >"$work/06 distinct of 1048576.txt"
padded 64 56 >"$work/07 pad of channels 8 x 64 x 56 x 56.txt"
padded 256 14 >"$work/07 pad of channels 8 x 256 x 14 x 14.txt"
for rows in 8 9 16 32 64 128 256; do
    four_bits $rows 4096 4096 >"$work/08 four bits $rows x 4096 x 4096.txt"
    four_bits $rows 11008 4096 >"$work/09 four bits $rows x 11008 x 4096.txt"
done
for text in "$work"/*.txt; do
    echo "== $(basename "$text" .txt)"
    for round in 1 2; do
        for driver in "$@"; do
            echo "$driver: $(timeout 30 "$driver" perf --gpu "$text" --fill1 n -n 100 2>&1 |
                grep -iE '^(total time|rate|min)|error|expected' | tr '\n' ' ')"
        done
    done
done >"$out" 2>&1
rm -r "$work"
