// SPDX-License-Identifier: MIT
// A step that runs one oneDNN primitive: which argument of the primitive lies where.
#pragma once

#include "runtime/kernel.hpp"
#include "runtime/weight_store.hpp"

#include <dnnl.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx::cpu {

dnnl::engine& dnnl_engine();

/// The library's element type; undef for types that it lacks.
dnnl::memory::data_type dnnl_type(shape::type_t t);
/// The shape with its strides. Axes of length 1 get the stride of a packed tensor.
dnnl::memory::desc dnnl_desc(const shape& s);
/// The same memory with other dimensions and strides.
dnnl::memory::desc dnnl_desc(shape::type_t t, const std::vector<int64_t>& dims,
                             const std::vector<int64_t>& strides);

/// Memory orders of images N, C, spatial axes….
enum class image_order { as_given, channels_last, row_major };
/// The shape packed in this order; none when it is not. Axes of one element fit any order.
std::optional<dnnl::memory::desc> dnnl_image_desc(const shape& s, image_order order);

/// A constant brought to the layout that a primitive asked for; shared through the weight store.
std::shared_ptr<const packed_weight> pack_weight(weight_store& store, const argument& original,
                                                 const dnnl::memory::desc& from,
                                                 const dnnl::memory::desc& to);

/// Too little work (multiplications and additions as one) to share: the primitive is to be created
/// and run with one thread.
bool runs_inline(std::size_t work);

class dnnl_kernel : public kernel {
public:
    struct operand {
        int argument; ///< DNNL_ARG_…
        dnnl::memory::desc desc;
        enum class place { input, output, constant } where = place::input;
        std::size_t index = 0; ///< input or output number
        std::shared_ptr<const packed_weight> constant = nullptr;
        std::size_t offset = 0; ///< bytes
    };

    dnnl_kernel(std::string implementation_name, dnnl::primitive primitive,
                dnnl::memory::desc scratchpad, std::vector<operand> operands);

    void run(const kernel_args& args) const override;
    std::size_t scratch_bytes() const override { return scratch; }
    std::string name() const override { return label; }
    bool reads_input(std::size_t i) const override;
    void add_constants(held_constants& held) const override;
    bool can_write_over(std::size_t i) const override { return i == over; }
    /// The input whose memory the primitive may write its result to.
    void allow_write_over(std::size_t i) { over = i; }
    /// Runs on the calling thread only.
    void keep_inline() { one_thread = true; }

private:
    // Memory objects are handles around addresses; a set is taken for the time of one run.
    struct binding {
        std::vector<dnnl::memory> memories;
        std::unordered_map<int, dnnl::memory> args;
        dnnl::stream stream;
    };
    std::unique_ptr<binding> acquire() const;

    std::string label;
    dnnl::primitive work;
    dnnl::memory::desc scratch_desc;
    std::size_t scratch = 0;
    std::size_t over = std::size_t(-1);
    bool one_thread = false;
    bool any_order = false; ///< the parts of the primitive never wait for one another
    std::vector<operand> operands;
    mutable std::mutex mutex;
    mutable std::vector<std::unique_ptr<binding>> free;
};

/// Goes on to the implementation after `count` others that the library prefers; false when it has
/// no more, or only scalar reference code.
template <class Descriptor>
bool skip_implementations(Descriptor& d, int count) {
    for (int i = 0; i < count; i++)
        if (not d.next_impl())
            return false;
    return count == 0 or not std::string(d.impl_info_str()).starts_with("ref");
}

/// The weights of a product or convolution, its input 1, as a primitive is asked to take them: in
/// any layout when they are constant, else as they are given.
dnnl::memory::desc weights_to_ask_for(const problem& p, const dnnl::memory::desc& given);
/// These weights for a primitive that chose a layout: packed for it when they are constant.
dnnl_kernel::operand weights_operand(const problem& p, const dnnl::memory::desc& given,
                                     const dnnl::memory::desc& chosen);

} // namespace migraphx::cpu
