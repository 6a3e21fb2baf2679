// SPDX-License-Identifier: MIT
// concat: the inputs one after another along `axis`.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct concat_op {
    int64_t axis = 0;

    static constexpr auto name = "concat";
    static constexpr auto summary = "The inputs one after another along `axis`";
    static void fields(field_list<concat_op>& f) {
        f.axis("axis", &concat_op::axis, "dimension that grows");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1).tensor().same_type().same_rank().axis(axis);
        const auto at = static_cast<std::size_t>(axis);
        const auto kinds = align_kinds(in);
        const auto mismatch = [&](std::size_t d, std::size_t i) {
            fail_shape(str("equal dimensions but for axis ", axis,
                           " were expected, got others for "
                           "dimension ",
                           d, " of input ", i));
        };
        if (not kinds[0].dynamic()) {
            auto lens = kinds[0].lens();
            for (std::size_t i = 1; i < kinds.size(); ++i)
                for (std::size_t d = 0; d < lens.size(); ++d) {
                    if (d == at)
                        lens[d] += kinds[i].lens()[d];
                    else if (lens[d] != kinds[i].lens()[d])
                        mismatch(d, i);
                }
            return majority_shape(in, in[0].type(), lens);
        }
        auto dims = kinds[0].dyn_dims();
        for (std::size_t i = 1; i < kinds.size(); ++i)
            for (std::size_t d = 0; d < dims.size(); ++d) {
                const auto& other = kinds[i].dyn_dims()[d];
                if (d == at) {
                    dims[d] += other;
                    continue;
                }
                auto both = dims[d].intersection(other);
                if (not both and dims[d].is_symbolic()) {
                    // Different expressions may still be equal at run time.
                    const auto a = dims[d].get_interval(), b = other.get_interval();
                    both = shape::dynamic_dimension{a.min, a.max}.intersection({b.min, b.max});
                }
                if (not both)
                    mismatch(d, i);
                dims[d] = *both;
            }
        return majority_shape(kinds, in[0].type(), dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto at = static_cast<std::size_t>(axis);
        std::vector<std::size_t> start(out.get_shape().ndim(), 0);
        for (const auto& x : in) {
            const auto& lens = x.get_shape().lens();
            copy_elements(block_of(out, start, lens), x);
            start[at] += lens[at];
        }
    }
};

const registered_op<concat_op> concat_registered;

} // namespace

} // namespace migraphx
