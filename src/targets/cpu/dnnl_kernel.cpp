// SPDX-License-Identifier: MIT
#include "targets/cpu/dnnl_kernel.hpp"

#include <migraphx/errors.hpp>

#include "base/parallel.hpp"
#include "ops/copy.hpp"
#include "targets/cpu/dnnl_threads.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace migraphx::cpu {

namespace {

// Plans hold the primitives that they run. What the library keeps beside them serves programs that
// are compiled again, and 1024, its own choice, are 60 MiB of what sizes that are gone needed.
constexpr int primitives_kept = 64;

// The level of our kernels, which MIGRAPHX_CPU_ISA may lower, holds for the library, too. It has to
// hear of it first.
dnnl::engine* first_engine() {
    if (kernels_isa() == isa::baseline)
        dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
    else if (kernels_isa() == isa::avx2)
        dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    share_threads_with_dnnl();
    if (std::getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY") == nullptr)
        dnnl::set_primitive_cache_capacity(primitives_kept);
    return new dnnl::engine(dnnl::engine::kind::cpu, 0);
}

} // namespace

dnnl::engine& dnnl_engine() {
    static auto* e = first_engine();
    return *e;
}

dnnl::memory::data_type dnnl_type(shape::type_t t) {
    using dt = dnnl::memory::data_type;
    switch (t) {
    case shape::float_type:
        return dt::f32;
    case shape::half_type:
        return dt::f16;
    case shape::bf16_type:
        return dt::bf16;
    case shape::int32_type:
        return dt::s32;
    case shape::int8_type:
        return dt::s8;
    case shape::uint8_type:
        return dt::u8;
    default:
        return dt::undef;
    }
}

dnnl::memory::desc dnnl_desc(shape::type_t t, const std::vector<int64_t>& dims,
                             const std::vector<int64_t>& strides) {
    return {dims, dnnl_type(t), strides};
}

dnnl::memory::desc dnnl_desc(const shape& s) {
    std::vector<int64_t> dims(s.lens().begin(), s.lens().end());
    std::vector<int64_t> strides(s.strides().begin(), s.strides().end());
    // The stride of an axis of one element is never used to address; a plain one lets the library
    // recognise the layout.
    for (std::size_t i = 0; i < dims.size(); i++)
        if (dims[i] == 1) {
            int64_t inner = 1;
            for (std::size_t j = 0; j < dims.size(); j++)
                if (j != i and dims[j] != 1 and (j > i or strides[j] == 1))
                    inner = std::max(inner, j > i ? dims[j] * strides[j] : int64_t{1});
            strides[i] = inner;
        }
    return dnnl_desc(s.type(), dims, strides);
}

std::optional<dnnl::memory::desc> dnnl_image_desc(const shape& s, image_order order) {
    if (order == image_order::as_given)
        return dnnl_desc(s);
    const auto rank = s.ndim();
    std::vector<std::size_t> axes; // from the fastest
    for (std::size_t i = rank; i-- > 0;)
        axes.push_back(i);
    if (order == image_order::channels_last and rank > 2)
        std::rotate(axes.begin(), axes.end() - 2, axes.end() - 1); // 1, rank - 1, …, 2, 0
    std::vector<int64_t> dims(s.lens().begin(), s.lens().end()), strides(rank);
    int64_t step = 1;
    for (auto d : axes) {
        if (dims[d] != 1 and int64_t(s.strides()[d]) != step)
            return std::nullopt;
        strides[d] = step;
        step *= dims[d];
    }
    return dnnl_desc(s.type(), dims, strides);
}

namespace {

std::string describe(const dnnl::memory::desc& d) {
    // The descriptor's bytes identify the layout for this version of the library.
    std::string text = "dnnl";
    const auto blob = d.get();
    for (auto x : d.get_dims())
        text += "," + std::to_string(x);
    text += ";" + std::to_string(int(d.get_data_type())) + ";" +
            std::to_string(int(d.get_format_kind()));
    if (d.get_format_kind() == dnnl::memory::format_kind::blocked) {
        for (auto x : d.get_strides())
            text += "," + std::to_string(x);
        text += ";";
        for (auto x : d.get_inner_blks())
            text += "," + std::to_string(x);
        for (auto x : d.get_inner_idxs())
            text += "," + std::to_string(x);
        for (auto x : d.get_padded_dims())
            text += "," + std::to_string(x);
    } else
        text += ";opaque" + std::to_string(reinterpret_cast<std::uintptr_t>(blob));
    return text;
}

dnnl::stream& thread_stream() {
    thread_local dnnl::stream stream(dnnl_engine());
    return stream;
}

struct described_data {
    argument data;
    dnnl::memory::desc desc;
};

// The library does not reorder from strides of 0: such data is copied first.
described_data without_broadcasts(const argument& original, const dnnl::memory::desc& desc) {
    const auto dims = desc.get_dims(), strides = desc.get_strides();
    bool broadcast = false;
    for (std::size_t i = 0; i < dims.size(); i++)
        broadcast = broadcast or (dims[i] > 1 and strides[i] == 0);
    if (not broadcast)
        return {original, desc};
    const auto type = original.get_shape().type();
    const std::vector<std::size_t> lens(dims.begin(), dims.end());
    auto plain = argument::uninitialized(shape{type, lens});
    copy_in_order(plain, {shape{type, lens, {strides.begin(), strides.end()}}, original.data()});
    return {plain, dnnl_desc(plain.get_shape())};
}

bool is_uniform(const dnnl::memory::desc& d) {
    const auto dims = d.get_dims(), strides = d.get_strides();
    for (std::size_t i = 0; i < dims.size(); i++)
        if (dims[i] > 1 and strides[i] != 0)
            return false;
    return true;
}

// Every byte of the layout belongs to an element: no padding, nothing computed from the values.
bool holds_elements_only(const dnnl::memory::desc& d) {
    std::size_t bytes = dnnl::memory::data_type_size(d.get_data_type());
    for (auto n : d.get_dims())
        bytes *= std::size_t(n);
    return d.get_format_kind() == dnnl::memory::format_kind::blocked and
           d.get_padded_dims() == d.get_dims() and d.get_size() == bytes;
}

// One number everywhere, whatever the layout; false when that is not all the layout asks for.
bool fill_uniform(const argument& original, const dnnl::memory::desc& from,
                  const dnnl::memory::desc& to, char* out) {
    if (from.get_data_type() != dnnl::memory::data_type::f32 or
        to.get_data_type() != from.get_data_type() or not is_uniform(from) or
        not holds_elements_only(to))
        return false;
    const auto x = *reinterpret_cast<const float*>(original.data());
    auto* y = reinterpret_cast<float*>(out);
    parallel_for(int64_t(to.get_size() / sizeof(float)), 1 << 18,
                 [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, x); });
    return true;
}

} // namespace

std::shared_ptr<const packed_weight> pack_weight(weight_store& store, const argument& original,
                                                 const dnnl::memory::desc& from,
                                                 const dnnl::memory::desc& to) {
    return store.get(original, describe(from) + "->" + describe(to), [&] {
        auto w = allocate_weight(to.get_size());
        if (fill_uniform(original, from, to, w.data.get()))
            return w;
        const auto plain = without_broadcasts(original, from);
        dnnl::memory src(plain.desc, dnnl_engine(), plain.data.data());
        dnnl::memory dst(to, dnnl_engine(), w.data.get());
        auto& stream = thread_stream();
        // Sums that come with int8 weights are added up over the threads that the library expects;
        // inside of a parallel region fewer run.
        const thread_count_guard threads(to.get_data_type() == dnnl::memory::data_type::s8 ? 1 : 0);
        dnnl::reorder(src, dst).execute(stream, src, dst);
        stream.wait();
        return w;
    });
}

bool runs_inline(std::size_t work) {
    constexpr std::size_t least = 256 * 1024; // about 20 microseconds
    return work < least;
}

namespace {

// In the library's own products (not those of its "brgemm") threads wait for what others copied;
// nothing else of forward inference in oneDNN 3.2 calls a barrier.
bool parts_are_independent(const std::string& implementation) {
    const auto word = implementation.substr(implementation.rfind(' ') + 1);
    return word.starts_with("brg") or
           (word.starts_with("jit") and word.find("gemm") == std::string::npos);
}

} // namespace

dnnl_kernel::dnnl_kernel(std::string implementation_name, dnnl::primitive primitive,
                         dnnl::memory::desc scratchpad, std::vector<operand> list)
    : label(std::move(implementation_name)), work(std::move(primitive)),
      scratch_desc(std::move(scratchpad)), operands(std::move(list)) {
    scratch = scratch_desc.get_size();
    any_order = parts_are_independent(label);
}

std::unique_ptr<dnnl_kernel::binding> dnnl_kernel::acquire() const {
    {
        std::lock_guard lock(mutex);
        if (not free.empty()) {
            auto b = std::move(free.back());
            free.pop_back();
            return b;
        }
    }
    auto b = std::make_unique<binding>();
    b->stream = dnnl::stream(dnnl_engine());
    for (const auto& o : operands) {
        void* p = o.constant == nullptr ? nullptr : o.constant->data.get();
        b->memories.emplace_back(o.desc, dnnl_engine(), p);
        b->args.emplace(o.argument, b->memories.back());
    }
    if (scratch != 0) {
        b->memories.emplace_back(scratch_desc, dnnl_engine(), nullptr);
        b->args.emplace(DNNL_ARG_SCRATCHPAD, b->memories.back());
    }
    return b;
}

void dnnl_kernel::run(const kernel_args& args) const {
    auto b = acquire();
    for (std::size_t i = 0; i < operands.size(); i++) {
        const auto& o = operands[i];
        if (o.where == operand::place::constant)
            continue;
        char* p = o.where == operand::place::input ? args.inputs[o.index] : args.outputs[o.index];
        b->memories[i].set_data_handle(p + o.offset);
    }
    if (scratch != 0)
        b->memories.back().set_data_handle(args.scratch);
    const thread_count_guard threads(one_thread ? 1 : 0);
    const parts_in_any_order order(any_order);
    work.execute(b->stream, b->args);
    std::lock_guard lock(mutex);
    free.push_back(std::move(b));
}

bool dnnl_kernel::reads_input(std::size_t i) const {
    return std::any_of(operands.begin(), operands.end(), [&](const operand& o) {
        return o.where == operand::place::input and o.index == i;
    });
}

void dnnl_kernel::add_constants(held_constants& held) const {
    for (const auto& o : operands)
        if (o.constant != nullptr)
            o.constant->add_to(held);
}

dnnl::memory::desc weights_to_ask_for(const problem& p, const dnnl::memory::desc& given) {
    return p.is_constant(1) ? dnnl::memory::desc(given.get_dims(), given.get_data_type(),
                                                 dnnl::memory::format_tag::any)
                            : given;
}

dnnl_kernel::operand weights_operand(const problem& p, const dnnl::memory::desc& given,
                                     const dnnl::memory::desc& chosen) {
    using place = dnnl_kernel::operand::place;
    if (not p.is_constant(1))
        return {DNNL_ARG_WEIGHTS, chosen, place::input, 1};
    return {DNNL_ARG_WEIGHTS, chosen, place::constant, 1,
            pack_weight(*p.weights, p.constants[1], given, chosen)};
}

} // namespace migraphx::cpu
