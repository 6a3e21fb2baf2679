// SPDX-License-Identifier: MIT
// tensor_scatter(cache, update[, positions (B)]): a copy of the cache in which the rows of `update`
// along `axis` replace those from positions[b] on; `circular` goes on at the first row after the
// last. Without positions they begin at 0.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct tensor_scatter_op {
    int64_t axis = -2;
    bool circular = false;

    static constexpr auto name = "tensor_scatter";
    static constexpr auto summary = "Rows of a cache replaced, each batch from its own position on";
    static void fields(field_list<tensor_scatter_op>& f) {
        f.axis("axis", &tensor_scatter_op::axis, "dimension of the rows, not the first");
        f.add("circular", &tensor_scatter_op::circular, "rows behind the last go to the first");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).tensor();
        expect(in).only(0, 2).rank_at_least(2).same_rank().same_type();
        expect(in).axis(axis).that(axis != 0, "an axis behind the first was expected, got 0");
        const auto aligned = align_kinds({in[0], in[1]});
        const auto cache = dims_of(aligned[0]), update = dims_of(aligned[1]);
        for (std::size_t d = 0; d < cache.size(); ++d) {
            const auto a = cache[d].get_interval(), b = update[d].get_interval();
            const bool along = d == static_cast<std::size_t>(axis);
            if (b.min > a.max or (not along and a.min > b.max))
                fail_shape(str("an update of ", along ? "at most " : "", cache[d], " in dimension ",
                               d, " was expected, got ", update[d]));
        }
        if (not is_absent(in, 2)) {
            expect(in).only(2, 3).rank(1).integral();
            const auto n = dims_of(in[2])[0].get_interval(), b = cache[0].get_interval();
            if (n.max < b.min or b.max < n.min)
                fail_shape(str(cache[0], " positions were expected, got ", dims_of(in[2])[0]));
        }
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        copy_elements(out, in[0]);
        const auto at = static_cast<std::size_t>(axis);
        auto lens = in[1].get_shape().lens();
        const auto batches = lens[0], rows = lens[at], room = out.get_shape().lens()[at];
        std::vector<int64_t> positions(batches, 0);
        if (not is_absent(in, 2))
            positions = load<int64_t>(in[2]);
        if (positions.size() != batches or rows > room)
            fail_shape(str("an update of ", positions.size(), " batches and at most ", room,
                           " rows was expected, got ", in[1].get_shape()));
        lens[0] = 1;
        const auto place = [&](std::size_t b, std::size_t from, std::size_t to, std::size_t count) {
            lens[at] = count;
            std::vector<std::size_t> source(lens.size(), 0), target(lens.size(), 0);
            source[0] = target[0] = b;
            source[at] = from;
            target[at] = to;
            copy_elements(block_of(out, target, lens), block_of(in[1], source, lens));
        };
        for (std::size_t b = 0; b < batches; ++b) {
            const auto p = positions[b];
            const auto last = static_cast<int64_t>(circular ? room : room - rows);
            if (p < 0 or (circular ? p >= last : p > last))
                fail_shape(str("a position from 0 to ", circular ? last - 1 : last,
                               " was expected, got ", p));
            const auto first = std::min(rows, room - static_cast<std::size_t>(p));
            place(b, 0, static_cast<std::size_t>(p), first);
            place(b, first, 0, rows - first);
        }
    }
};

const registered_op<tensor_scatter_op> tensor_scatter_registered;

} // namespace

} // namespace migraphx
