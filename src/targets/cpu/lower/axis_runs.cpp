// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/axis_runs.hpp"

#include "base/str.hpp"

namespace migraphx::cpu {

namespace {

struct run_piece {
    strided_copy copy;
    std::size_t from = 0, to = 0; ///< bytes
    bool filled = false;
};

// The copy for one combination: run pick[d] of each axis.
std::optional<run_piece> piece_of(const shape& in, const sizes& out_strides,
                                  const std::vector<axis_runs>& axes,
                                  const std::vector<std::size_t>& pick) {
    run_piece piece;
    sizes lens, from, to;
    int64_t from_at = 0, to_at = 0;
    const auto in_strides = strides_of(in);
    for (std::size_t d = 0; d < axes.size(); d++) {
        const auto& r = axes[d][pick[d]];
        lens.push_back(r.count);
        from.push_back(r.step * in_strides[d]);
        to.push_back(out_strides[d]);
        from_at += r.from * in_strides[d];
        to_at += r.to * out_strides[d];
        piece.filled = piece.filled or r.filled;
    }
    if (piece.filled)
        from.assign(from.size(), 0);
    else
        piece.from = std::size_t(from_at) * in.type_size();
    piece.to = std::size_t(to_at) * in.type_size();
    const auto c = strided_copy::make(in.type_size(), lens, from, to);
    if (not c)
        return std::nullopt;
    piece.copy = *c;
    return piece;
}

} // namespace

axis_runs same_run(int64_t len) {
    return {{0, len, 0, 1, false}};
}

axis_runs runs_of(const std::vector<int64_t>& from) {
    axis_runs result;
    for (std::size_t i = 0; i < from.size(); i++) {
        if (not result.empty()) {
            auto& last = result.back();
            if (last.filled and from[i] < 0) {
                last.count++;
                continue;
            }
            if (not last.filled and from[i] >= 0) {
                const auto step = from[i] - from[i - 1];
                if (last.count == 1 or step == last.step) {
                    last.step = step;
                    last.count++;
                    continue;
                }
            }
        }
        result.push_back({int64_t(i), 1, std::max<int64_t>(from[i], 0), 1, from[i] < 0});
    }
    return result;
}

lowered copy_by_runs(const problem& p, const std::vector<axis_runs>& axes, const std::string& name,
                     std::vector<char> element, std::size_t most) {
    return copy_by_runs(p.inputs[0], strides_of(p.output), axes, name, std::move(element), most);
}

lowered copy_by_runs(const shape& in, const sizes& out_strides, const std::vector<axis_runs>& axes,
                     const std::string& name, std::vector<char> element, std::size_t most) {
    std::size_t total = 1;
    for (const auto& a : axes)
        if ((total *= a.size()) > most)
            return lowered::refuse(str("more than ", most, " copies"));
    std::vector<run_piece> pieces;
    std::vector<std::size_t> pick(axes.size(), 0);
    for (std::size_t n = 0; n < total; n++) {
        auto piece = piece_of(in, out_strides, axes, pick);
        if (not piece)
            return lowered::refuse("more than 8 axes, or elements of another size");
        if (not piece->copy.empty())
            pieces.push_back(*piece);
        for (std::size_t d = axes.size(); d-- > 0;) {
            if (++pick[d] < axes[d].size())
                break;
            pick[d] = 0;
        }
    }
    return make_kernel(
        name, 0,
        [pieces = std::move(pieces), element = std::move(element)](const kernel_args& args) {
            for (const auto& piece : pieces)
                piece.copy.run(piece.filled ? element.data() : args.inputs[0] + piece.from,
                               args.outputs[0] + piece.to);
        });
}

} // namespace migraphx::cpu
