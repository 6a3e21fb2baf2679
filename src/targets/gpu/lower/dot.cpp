// SPDX-License-Identifier: MIT
// Matrix products by a library: with the whole epilogue in its call where it can, else the product
// and then one pointwise kernel on the result.
#include "targets/gpu/lower/dot.hpp"
#include "targets/gpu/lower/copy.hpp"
#include "targets/gpu/lower/own_product.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/tuning.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "base/rounding.hpp"
#include "base/str.hpp"
#include "runtime/kernel.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

namespace {

struct library_kernel : kernel {
    std::unique_ptr<prepared_gemm> work;
    product_form form;
    device_weight packed; ///< in the place of B; may be null

    library_kernel(std::unique_ptr<prepared_gemm> w, product_form f, device_weight b)
        : work(std::move(w)), form(std::move(f)), packed(std::move(b)) {}
    void run_into(const kernel_args& args, void* to, char* workspace) const {
        const auto input = [&](std::optional<std::size_t> i) -> const void* {
            return i ? args.inputs[*i] : nullptr;
        };
        gemm_pointers at;
        at.a = args.inputs[form.a];
        at.b = packed ? packed->data.get() : args.inputs[form.b];
        at.c = input(form.c);
        at.bias = input(form.bias);
        at.scale_a = input(form.scale_a);
        at.scale_b = input(form.scale_b);
        at.d = to;
        at.workspace = workspace;
        at.queue = args.queue;
        work->run(at);
    }
    void run(const kernel_args& args) const override {
        run_into(args, args.outputs[0], args.scratch);
    }
    std::size_t scratch_bytes() const override { return work->workspace_bytes(); }
    std::string name() const override { return work->name(); }
    bool reads_input(std::size_t i) const override { return i != 1 or packed == nullptr; }
    void add_constants(held_constants& held) const override {
        if (packed)
            packed->add_to(held);
    }
};

std::unique_ptr<library_kernel>
by_library(const device_problem& p, const std::optional<product_form>& form, std::string& reason) {
    if (not form)
        return nullptr;
    const auto* library = find_gemm_library(*p.on, reason);
    if (library == nullptr)
        return nullptr;
    auto f = *form;
    device_weight packed;
    reason = library->refusal(f.what);
    if (not reason.empty() and p.is_constant(1) and f.what.batch.empty() and f.what.b.row != 1) {
        // Bytes are multiplied along k; weights can be put so.
        f.what.b.row = 1;
        f.what.b.column = f.what.k;
        if (library->refusal(f.what).empty()) {
            packed = columns_of(p, form->what);
            reason.clear();
        }
    }
    if (not reason.empty())
        return nullptr;
    auto work = library->prepare(f.what, may_be_timed(p), reason);
    return work ? std::make_unique<library_kernel>(std::move(work), f, std::move(packed)) : nullptr;
}

} // namespace

lowered library_in_one_call(const device_problem& p) {
    std::string reason;
    auto k = by_library(p, whole_product(p, reason), reason);
    return k ? lowered(std::move(k)) : lowered::refuse(std::move(reason));
}

namespace {

// The product goes to the result where the rest may write over it, else to the scratch.
struct product_then_rest : kernel {
    std::unique_ptr<library_kernel> product;
    std::unique_ptr<kernel> rest;
    std::size_t own = 2, inputs = 0;
    std::size_t between_bytes = 0; ///< 0: in the result

    void run(const kernel_args& args) const override {
        auto* between = between_bytes == 0 ? args.outputs[0] : args.scratch;
        auto* scratch = args.scratch + between_bytes;
        product->run_into(args, between, scratch);
        constexpr std::size_t most = 16;
        char* few[most];
        std::vector<char*> many(inputs > most ? inputs : 0);
        auto** list = inputs > most ? many.data() : few;
        list[0] = between;
        std::copy_n(args.inputs + own, inputs - 1, list + 1);
        rest->run({list, args.outputs, scratch, args.queue});
    }
    std::size_t scratch_bytes() const override {
        return between_bytes + std::max(product->scratch_bytes(), rest->scratch_bytes());
    }
    std::string name() const override { return str(product->name(), " + ", rest->name()); }
    bool reads_input(std::size_t i) const override { return product->reads_input(i); }
    void add_constants(held_constants& held) const override {
        product->add_constants(held);
        rest->add_constants(held);
    }
};

device_problem pointwise_after(const device_problem& p, const shape& product) {
    const auto own = own_inputs(p);
    auto q = p;
    q.op = make_op("pointwise");
    q.inputs = {product};
    q.inputs.insert(q.inputs.end(), p.inputs.begin() + std::ptrdiff_t(own), p.inputs.end());
    q.constants = {argument{}};
    for (std::size_t i = own; i < p.inputs.size(); i++)
        q.constants.push_back(i < p.constants.size() ? p.constants[i] : argument{});
    return q;
}

} // namespace

lowered library_in_two_steps(const device_problem& p) {
    if (p.modules.empty())
        return lowered::refuse("no epilogue");
    const auto own = own_inputs(p);
    // What is done to an image is rounded once, whichever way is the fastest.
    const auto& body = *p.modules.front();
    const auto type =
        p.image ? type_between(body) : body.get_parameter("x0")->get_shape().type();
    const shape between = p.output.with_type(type);
    std::string reason;
    auto product = by_library(p, plain_product(p, between, reason), reason);
    if (product == nullptr)
        return lowered::refuse(std::move(reason));
    auto k = std::make_unique<product_then_rest>();
    k->product = std::move(product);
    k->rest = gpu::lower(pointwise_after(p, between));
    if (runs_on_host(*k->rest))
        return lowered::refuse("its epilogue runs on the host");
    k->own = own;
    k->inputs = 1 + p.inputs.size() - own;
    if (between.type() != p.output.type() or not k->rest->can_write_over(0))
        k->between_bytes = round_up(between.bytes(), device_alignment);
    return k;
}

namespace {

// Rows of a result that begin anywhere make the library take slow kernels: it writes rows that are
// whole pieces of 16 bytes, and a copy brings them together.
bool has_uneven_rows(const device_problem& p) {
    std::string reason;
    const auto f = whole_product(p, reason);
    return f and f->what.m > 1 and f->what.d.column == 1 and
           f->what.d.row * int64_t(p.output.type_size()) % 16 != 0;
}

} // namespace

lowered library_in_even_rows(const device_problem& p) {
    std::string reason;
    auto form = whole_product(p, reason);
    if (not form)
        return lowered::refuse(std::move(reason));
    auto& w = form->what;
    if (not w.batch.empty() or w.c or w.d.column != 1)
        return lowered::refuse("a batch, or a matrix to add");
    const auto piece = 16 / int64_t(p.output.type_size());
    w.d.row = (w.n + piece - 1) / piece * piece;
    const shape between{
        p.output.type(), {std::size_t(w.m), std::size_t(w.n)}, {std::size_t(w.d.row), 1}};
    auto product = by_library(p, form, reason);
    if (product == nullptr)
        return lowered::refuse(std::move(reason));
    auto k = std::make_unique<product_then_rest>();
    k->between_bytes = round_up(between.bytes(), device_alignment);
    k->product = std::move(product);
    auto copied = p;
    copied.inputs = {between};
    copied.constants = {argument{}};
    copied.modules.clear();
    k->rest = make_generated(copied, copy_between(*p.on, between, p.output, 0));
    k->own = p.inputs.size();
    k->inputs = 1;
    return k;
}

namespace {

lowered library_product(const device_problem& p) {
    if (not has_uneven_rows(p))
        return library_in_one_call(p);
    return fastest(p, {{"library", library_in_one_call},
                       {"library, even rows", library_in_even_rows},
                       {"own", matrix_unit_product}});
}

// Matrix units emulated on the host take minutes for what a model multiplies.
constexpr int64_t most_emulated = 1 << 20;

bool is_emulated(const device_problem& p) {
    return p.on->properties().kind == platform::host and
           int64_t(p.output.elements() * p.inputs[0].lens().back()) > most_emulated;
}

lowered float_product(const device_problem& p) {
    if (p.inputs[0].type() != shape::float_type or p.tf32)
        return lowered::refuse("not of floats as they are");
    if (is_emulated(p))
        return lowered::refuse("too much to emulate");
    std::vector<implementation> ways{{"library", library_in_one_call},
                                     {"split", split_float_product}};
    if (has_uneven_rows(p))
        ways.push_back({"library, even rows", library_in_even_rows});
    return fastest(p, ways);
}

struct zero_kernel : kernel {
    std::shared_ptr<device> on;
    std::size_t bytes = 0;
    void run(const kernel_args& args) const override {
        if (bytes > 0)
            on->fill(args.outputs[0], 0, bytes, args.queue);
    }
    std::string name() const override { return "zero"; }
};

// Sums of nothing, and nothing to compute.
lowered empty(const device_problem& p) {
    const bool no_terms = p.inputs[0].lens().back() == 0;
    if (p.output.elements() != 0 and not no_terms)
        return lowered::refuse("something to compute");
    if (p.output.elements() != 0 and (not p.modules.empty() or not p.output.packed()))
        return lowered::refuse("an epilogue on sums of nothing, or gaps in the result");
    auto k = std::make_unique<zero_kernel>();
    k->on = p.on;
    k->bytes = p.output.elements() == 0 ? 0 : p.output.bytes();
    return k;
}

lowered with_any_epilogue(const device_problem& p) {
    std::vector<implementation> ways{{"own", matrix_unit_product},
                                     {"split", split_float_product},
                                     {"two steps", library_in_two_steps}};
    if (is_emulated(p))
        std::rotate(ways.begin(), ways.end() - 1, ways.end());
    // Many rows: which tiles keep the memory busiest is seen only by running them.
    constexpr std::size_t many = 1 << 16;
    if (p.output.elements() >= many and p.inputs[0].type_size() == 2) {
        ways.push_back({"own, narrow tiles", of_variant<matrix_unit_product, narrow_tiles>});
        ways.push_back({"own, small tiles", of_variant<matrix_unit_product, small_tiles>});
        ways.push_back({"own, groups", wide_group_product});
        ways.push_back({"own, narrow groups", narrow_group_product});
    }
    return fastest(p, ways);
}

const implementations product_choices{{"dot", "gpu::dot", "quant_dot", "gpu::quant_dot"},
                                      {{"empty", empty},
                                       {"thin", thin_product},
                                       {"library or split", float_product},
                                       {"library", library_product},
                                       {"library or own", with_any_epilogue},
                                       {"own", plain_product_kernel}}};

} // namespace

} // namespace migraphx::gpu
