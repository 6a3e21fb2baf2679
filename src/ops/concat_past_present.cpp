// SPDX-License-Identifier: MIT
// concat_past_present: writes the new keys or values of an attention into their cache, in place: at
// row 0 for a prompt (S > 1), at seqlens_k[b] for one token.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct concat_past_present_op {
    std::size_t kv_num_heads = 0;

    static constexpr auto name = "concat_past_present";
    static constexpr auto summary = "New keys or values written into their cache, in place";
    static void fields(field_list<concat_past_present_op>& f) {
        f.add("kv_num_heads", &concat_past_present_op::kv_num_heads, "heads of keys and values");
    }
    static void traits(op_info& info) { info.has_side_effect = true; }

    // present (B, K, S, D), seqlens_k (B), past (B, K, rows, D)
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().only(1, 2).integral();
        expect(in).only(0, 1).rank(4);
        expect(in).only(2, 3).rank(4);
        if (in[0].type() != in[2].type())
            fail_shape(str("a cache of type ", in[0].type_string(), " was expected, got ",
                           in[2].type_string()));
        if (in[0].dynamic() or in[1].dynamic() or in[2].dynamic())
            return in[2]; // the sizes of a run are checked
        const auto &a = in[0].lens(), &b = in[2].lens();
        if (a[0] != b[0] or a[1] != b[1] or a[3] != b[3] or a[2] > b[2])
            fail_shape(str("a cache with room for ", in[0], " was expected, got ", in[2]));
        if (in[1].elements() < a[0])
            fail_shape(str(a[0], " sequence lengths were expected, got ", in[1].elements()));
        return in[2];
    }
    std::vector<std::size_t> alias(const std::vector<shape>&) const { return {2}; }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto rows = in[2].get_shape().lens()[2];
        const auto lengths = load<int64_t>(in[1]);
        for (std::size_t b = 0; b < lens[0]; ++b) {
            const auto row = lens[2] > 1 ? 0 : lengths.at(b);
            if (row < 0 or static_cast<std::size_t>(row) + lens[2] > rows)
                fail_shape(str("a sequence length below ", rows, " was expected, got ", row));
            const std::vector<std::size_t> part{1, lens[1], lens[2], lens[3]};
            copy_elements(block_of(in[2], {b, 0, static_cast<std::size_t>(row), 0}, part),
                          block_of(in[0], {b, 0, 0, 0}, part));
        }
        return in[2];
    }
};

const registered_op<concat_past_present_op> concat_past_present_registered;

} // namespace

} // namespace migraphx
