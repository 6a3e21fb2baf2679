// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/gemm.hpp"

#include "base/str.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace migraphx::gpu {

int64_t gemm_problem::batches() const {
    int64_t count = 1;
    for (auto n : batch)
        count *= n;
    return count;
}

namespace {

// What the result's rows and columns walk: D, C, the epilogue's operands, and `factor` (A or B).
std::vector<gemm_matrix*> walked_with(gemm_problem& p, gemm_matrix& factor) {
    std::vector<gemm_matrix*> all{&factor, &p.d};
    if (p.c)
        all.push_back(&*p.c);
    for (auto& x : p.operands)
        all.push_back(&x);
    return all;
}

std::vector<gemm_matrix*> matrices_of(gemm_problem& p) {
    auto all = walked_with(p, p.a);
    all.push_back(&p.b);
    return all;
}

void drop_axis(gemm_problem& p, std::size_t i) {
    p.batch.erase(p.batch.begin() + std::ptrdiff_t(i));
    for (auto* x : matrices_of(p))
        x->batch.erase(x->batch.begin() + std::ptrdiff_t(i));
}

// Whether axis `i` continues the rows (columns) of x.
bool continues_rows(const gemm_matrix& x, std::size_t i, int64_t m) {
    return m == 1 or x.batch[i] == x.row * m;
}
bool continues_columns(const gemm_matrix& x, std::size_t i, int64_t n) {
    return n == 1 or x.batch[i] == x.column * n;
}

bool becomes_rows(gemm_problem& p, std::size_t i) {
    if (p.b.batch[i] != 0 or p.bias == gemm_bias::along_m or p.d.batch[i] == 0)
        return false;
    const auto walked = walked_with(p, p.a);
    for (const auto* x : walked)
        if (not continues_rows(*x, i, p.m))
            return false;
    for (auto* x : walked)
        x->row = p.m == 1 ? x->batch[i] : x->row;
    p.m *= p.batch[i];
    drop_axis(p, i);
    return true;
}

bool becomes_columns(gemm_problem& p, std::size_t i) {
    if (p.a.batch[i] != 0 or p.bias == gemm_bias::along_n or p.d.batch[i] == 0)
        return false;
    const auto walked = walked_with(p, p.b);
    for (const auto* x : walked)
        if (not continues_columns(*x, i, p.n))
            return false;
    for (auto* x : walked)
        x->column = p.n == 1 ? x->batch[i] : x->column;
    p.n *= p.batch[i];
    drop_axis(p, i);
    return true;
}

// Axis i goes on where axis i + 1 ends.
bool merges_with_next(gemm_problem& p, std::size_t i) {
    for (const auto* x : matrices_of(p))
        if (x->batch[i] != x->batch[i + 1] * p.batch[i + 1])
            return false;
    p.batch[i + 1] *= p.batch[i];
    drop_axis(p, i);
    return true;
}

bool simplify_once(gemm_problem& p) {
    for (std::size_t i = p.batch.size(); i-- > 0;)
        if (p.batch[i] == 1) {
            drop_axis(p, i);
            return true;
        }
    for (std::size_t i = p.batch.size(); i-- > 0;)
        if (becomes_rows(p, i) or becomes_columns(p, i))
            return true;
    for (std::size_t i = 0; i + 1 < p.batch.size(); i++)
        if (merges_with_next(p, i))
            return true;
    return false;
}

// Steps along axes of one element mean nothing: those that make the matrix packed.
void settle_steps(gemm_matrix& x, int64_t rows, int64_t columns) {
    if (columns == 1 and rows == 1)
        x.row = x.column = 1;
    else if (columns == 1)
        x.column = x.row == 1 ? rows : 1;
    else if (rows == 1)
        x.row = x.column == 1 ? columns : 1;
}

void append(std::string& text, const gemm_matrix& x) {
    text += str(' ', shape::cpp_type(x.type), '[', x.row, ',', x.column);
    for (auto s : x.batch)
        text += str(';', s);
    text += ']';
}

} // namespace

gemm_problem simplify(gemm_problem p) {
    while (simplify_once(p)) {
    }
    settle_steps(p.a, p.m, p.k);
    settle_steps(p.b, p.k, p.n);
    settle_steps(p.d, p.m, p.n);
    if (p.c)
        settle_steps(*p.c, p.m, p.n);
    for (auto& x : p.operands)
        settle_steps(x, p.m, p.n);
    return p;
}

std::string to_string(const gemm_problem& p) {
    auto text = str(p.m, 'x', p.n, 'x', p.k);
    for (auto n : p.batch)
        text += str(" batch ", n);
    append(text, p.a);
    append(text, p.b);
    text += " ->";
    append(text, p.d);
    if (p.alpha != 1)
        text += str(" alpha:", p.alpha);
    if (p.bias != gemm_bias::none)
        text += str(" +bias:", p.bias == gemm_bias::along_n ? 'n' : 'm', ':',
                    shape::cpp_type(p.bias_type));
    if (p.c) {
        text += str(" +c:", p.beta);
        append(text, *p.c);
    }
    if (p.activation == gemm_activation::relu)
        text += " relu";
    if (p.activation == gemm_activation::gelu_tanh)
        text += " gelu_tanh";
    if (p.scaled)
        text += " scaled";
    if (p.tf32)
        text += " tf32";
    return text;
}

const gemm_library* find_gemm_library(device& on, std::string& reason) {
    if (on.properties().kind == platform::host)
        return &host_gemm_library();
    if (on.properties().kind != platform::cuda) {
        reason = "no library of matrix products for this platform";
        return nullptr;
    }
    struct opened {
        std::unique_ptr<gemm_library> library;
        std::string reason;
    };
    static std::mutex guard;
    // For the life of the process, as devices are.
    static auto* const by_device = new std::map<int, opened>;
    const std::lock_guard<std::mutex> lock(guard);
    auto [it, is_new] = by_device->try_emplace(on.properties().id);
    if (is_new)
        it->second.library = open_cublaslt(on, it->second.reason);
    reason = it->second.reason;
    return it->second.library.get();
}

} // namespace migraphx::gpu
