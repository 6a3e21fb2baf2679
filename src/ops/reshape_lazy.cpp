// SPDX-License-Identifier: MIT
// reshape_lazy: other dimensions over the same memory; refused when that would need a copy.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/reshape_dims.hpp"
#include "ops/shape_input.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct reshape_lazy_op {
    std::vector<int64_t> dims;

    static constexpr auto name = "reshape_lazy";
    static constexpr auto summary = "Other dimensions over the same memory, never a copy";
    static void fields(field_list<reshape_lazy_op>& f) {
        f.add("dims", &reshape_lazy_op::dims,
              "0 copies the dimension of the input, one -1 is inferred");
    }
    value attributes() const { return {{"require_std_shape", true}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        if (not x.dynamic()) {
            auto s = reshape_without_copy(x, reshaped_lens(x.lens(), dims));
            if (not s)
                fail_shape("axes that merge without a copy were expected, got others");
            return *s;
        }
        const auto out = dynamic_shape(x, x.type(), reshaped_dims(x.dyn_dims(), dims));
        if (x.symbolic()) {
            auto s = reshape_without_copy(x, out.dyn_dims());
            if (not s)
                fail_shape("axes that merge without a copy were expected, got others");
            return *s;
        }
        // With a range, only a dimension that stays in its place is known to keep its memory.
        std::size_t open = 0;
        for (std::size_t i = 0; i < x.ndim(); ++i) {
            if (x.dyn_dims()[i].is_fixed())
                continue;
            ++open;
            if (i >= dims.size() or dims[i] > 0 or out.dyn_dims()[i] != x.dyn_dims()[i])
                fail_shape(
                    str("0 or -1 in dims was expected for the dimension of unknown size, at ", i));
        }
        if (open != 1)
            fail_shape(str("one dimension of unknown size was expected, got ", open));
        return out;
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<reshape_lazy_op> reshape_lazy_registered;

} // namespace

} // namespace migraphx
