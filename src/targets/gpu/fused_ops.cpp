// SPDX-License-Identifier: MIT
// gpu::dot, gpu::quant_dot, gpu::block_dot, gpu::convolution, gpu::convolution_backwards,
// gpu::quant_convolution: the operator, then a pointwise module on its result
// (ops/with_epilogue.hpp).
#include "ops/with_epilogue.hpp"

namespace migraphx::gpu {

namespace {

struct product {
    static constexpr auto name = "gpu::dot";
    static constexpr auto anchor = "dot";
    static constexpr auto summary = "dot with a pointwise epilogue";
};
struct quantised_product {
    static constexpr auto name = "gpu::quant_dot";
    static constexpr auto anchor = "quant_dot";
    static constexpr auto summary = "quant_dot with a pointwise epilogue";
};
// Its anchor has attributes.
struct block_product {
    std::size_t bits = 4;
    std::size_t block = 32;

    static constexpr auto name = "gpu::block_dot";
    static constexpr auto summary = "block_dot with a pointwise epilogue";
    static void fields(field_list<block_product>& f) {
        f.add("bits", &block_product::bits, "of a weight: 4 or 8");
        f.add("block", &block_product::block, "weights along k that share a scale");
    }
    operation anchor() const { return make_op("block_dot", {{"bits", bits}, {"block", block}}); }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(3);
        return shape_with_epilogue(anchor(), own_shapes(in, mods), mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_with_epilogue(anchor(), output, in, mods);
    }
};
struct forward {
    static constexpr auto name = "gpu::convolution";
    static constexpr auto anchor = "convolution";
    static constexpr auto summary = "convolution with a pointwise epilogue";
};
struct backwards {
    static constexpr auto name = "gpu::convolution_backwards";
    static constexpr auto anchor = "convolution_backwards";
    static constexpr auto summary = "convolution_backwards with a pointwise epilogue";
};
struct quantised {
    static constexpr auto name = "gpu::quant_convolution";
    static constexpr auto anchor = "quant_convolution";
    static constexpr auto summary = "quant_convolution with a pointwise epilogue";
};

const registered_op<product_with_epilogue<product>> dot_registered;
const registered_op<product_with_epilogue<quantised_product>> quant_dot_registered;
const registered_op<block_product> block_dot_registered;
const registered_op<convolution_with_epilogue<forward>> convolution_registered;
const registered_op<convolution_with_epilogue<backwards>> convolution_backwards_registered;
const registered_op<convolution_with_epilogue<quantised>> quant_convolution_registered;

} // namespace

} // namespace migraphx::gpu
