// SPDX-License-Identifier: MIT
// cuBLASLt, opened at run time. Of the algorithms that its heuristics propose, the best few are
// timed once for each distinct problem; the choice is kept by the tuning cache.
#include "targets/gpu/libraries/cublaslt_terms.hpp"
#include "targets/gpu/libraries/open_library.hpp"
#include "targets/gpu/libraries/trial.hpp"

#include <migraphx/errors.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"
#include "runtime/tuning_cache.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <utility>

namespace migraphx::gpu {

namespace cublaslt {

namespace {

constexpr std::size_t most_workspace = std::size_t(32) << 20;
constexpr int proposals = 8;
// Addresses that devices and plans give out; others are found out when they come.
constexpr uint32_t usual_alignment = 16;

struct opened {
    functions call{};
    handle h = nullptr;
    std::string version; ///< of the library and the device, for the tuning cache

    void expect(int status, const char* what) const {
        if (status != success)
            fail(error_kind::internal,
                 str("cuBLASLt: ", what, " failed: ",
                     call.GetStatusString ? call.GetStatusString(status) : std::to_string(status)));
    }
};

// Owners of the library's descriptions.
class layout {
public:
    layout(const opened& l, const matrix_terms& m, int batch) : lib(l) {
        lib.expect(lib.call.MatrixLayoutCreate(&x, m.type, m.rows, m.columns, m.step),
                   "a matrix layout");
        if (batch > 1) {
            set(layout_batch_count, batch);
            set(layout_batch_offset, m.batch_step);
        }
    }
    ~layout() { lib.call.MatrixLayoutDestroy(x); }
    layout(const layout&) = delete;
    layout& operator=(const layout&) = delete;
    matrix_layout get() const { return x; }

private:
    template <class T>
    void set(layout_attribute what, T value) {
        lib.expect(lib.call.MatrixLayoutSetAttribute(x, what, &value, sizeof(value)),
                   "a matrix layout");
    }
    const opened& lib;
    matrix_layout x = nullptr;
};

class description {
public:
    description(const opened& l, const terms& t, const gemm_pointers& at) : lib(l) {
        lib.expect(lib.call.MatmulDescCreate(&x, t.compute, t.scale), "a product");
        set(desc_transpose_a, int32_t(t.op_a));
        set(desc_transpose_b, int32_t(t.op_b));
        set(desc_epilogue, int32_t(t.finish));
        if (t.bias) {
            set(desc_bias_type, int32_t(*t.bias));
            set(desc_bias_pointer, at.bias);
        }
        if (at.scale_a != nullptr) {
            set(desc_a_scale_pointer, t.swapped ? at.scale_b : at.scale_a);
            set(desc_b_scale_pointer, t.swapped ? at.scale_a : at.scale_b);
        }
    }
    ~description() { lib.call.MatmulDescDestroy(x); }
    description(const description&) = delete;
    description& operator=(const description&) = delete;
    matmul_desc get() const { return x; }

private:
    template <class T>
    void set(desc_attribute what, T value) {
        lib.expect(lib.call.MatmulDescSetAttribute(x, what, &value, sizeof(value)), "a product");
    }
    const opened& lib;
    matmul_desc x = nullptr;
};

class preferences {
public:
    explicit preferences(const opened& l) : lib(l) {
        lib.expect(lib.call.MatmulPreferenceCreate(&x), "preferences");
    }
    ~preferences() { lib.call.MatmulPreferenceDestroy(x); }
    preferences(const preferences&) = delete;
    preferences& operator=(const preferences&) = delete;
    preference get() const { return x; }
    template <class T>
    void set(preference_attribute what, T value) const {
        lib.expect(lib.call.MatmulPreferenceSetAttribute(x, what, &value, sizeof(value)),
                   "preferences");
    }

private:
    const opened& lib;
    preference x = nullptr;
};

// A stand-in whose only property is how it is aligned.
const void* aligned_address(uint32_t alignment) {
    return reinterpret_cast<const void*>(std::uintptr_t(alignment));
}

std::string text_of(const algorithm& a) {
    std::string text;
    for (auto word : a.data) {
        std::array<char, 17> digits{};
        std::snprintf(digits.data(), digits.size(), "%016llx",
                      static_cast<unsigned long long>(word));
        text += digits.data();
    }
    return text;
}

std::optional<algorithm> algorithm_of(const std::string& text) {
    algorithm a{};
    if (text.size() != 16 * std::size(a.data))
        return std::nullopt;
    for (std::size_t i = 0; i < std::size(a.data); i++) {
        unsigned long long word = 0;
        if (std::sscanf(text.substr(i * 16, 16).c_str(), "%16llx", &word) != 1)
            return std::nullopt;
        a.data[i] = word;
    }
    return a;
}

struct choice {
    algorithm algo{};
    std::size_t workspace = 0;
};

class product : public prepared_gemm {
public:
    product(const opened& l, device& on, gemm_problem problem, const terms& ways)
        : lib(l), dev(on), p(std::move(problem)), t(ways), a(lib, t.a, t.batch),
          b(lib, t.b, t.batch), c(lib, t.c, t.batch), d(lib, t.d, t.batch) {}

    // False when the library has no algorithm.
    bool choose(bool timed) {
        const auto key = str("gemm|", lib.version, '|', to_string(p));
        if (known(key))
            return true;
        if (not timed)
            return take_first(proposed(usual_alignment, 1));
        const auto alone = alone_on_device();
        if (known(key)) // by now
            return true;
        const auto found = proposed(usual_alignment, proposals);
        if (not take_first(found))
            return false;
        if (found.size() > 1 and pick_fastest(found))
            tuning_cache::instance().store(key, text_of(usual.algo));
        return true;
    }

    std::size_t workspace_bytes() const override {
        // Addresses of lesser alignment have another algorithm, and its memory.
        return usual.workspace == 0 ? 0 : most_workspace;
    }
    void run(const gemm_pointers& at) const override {
        if (is_aligned(at)) {
            run_with(usual, at);
            return;
        }
        std::call_once(searched, [&] {
            auto found = proposed(uint32_t(element_bytes()), 1);
            if (found.empty())
                fail(error_kind::unsupported,
                     str("cuBLASLt: no algorithm for operands of this alignment: ", to_string(p)));
            unusual = found.front();
        });
        run_with(unusual, at);
    }
    std::string name() const override { return "cublaslt"; }

private:
    bool known(const std::string& key) {
        const auto text = tuning_cache::instance().find(key);
        const auto algo = text ? algorithm_of(*text) : std::nullopt;
        const auto ok = algo ? checked(*algo) : std::nullopt;
        if (ok)
            usual = *ok;
        return ok.has_value();
    }
    bool take_first(const std::vector<choice>& found) {
        if (not found.empty())
            usual = found.front();
        return not found.empty();
    }
    std::size_t element_bytes() const {
        return std::min({shape{p.a.type}.type_size(), shape{p.b.type}.type_size(),
                         shape{p.d.type}.type_size()});
    }
    static bool is_aligned(const gemm_pointers& at) {
        std::uintptr_t bits = 0;
        for (const auto* x : {at.a, at.b, at.c, at.bias, static_cast<const void*>(at.d)})
            bits |= reinterpret_cast<std::uintptr_t>(x);
        return bits % usual_alignment == 0;
    }
    // Only the alignment of these addresses matters.
    description described(uint32_t alignment) const {
        gemm_pointers at;
        at.bias = aligned_address(alignment);
        if (p.scaled)
            at.scale_a = at.scale_b = aligned_address(usual_alignment);
        return {lib, t, at};
    }
    std::vector<choice> proposed(uint32_t alignment, int wanted) const {
        // What `run_with` has when the first choice needs none.
        const uint64_t workspace =
            alignment == usual_alignment ? most_workspace : workspace_bytes();
        const preferences wish(lib);
        wish.set(preference_workspace, workspace);
        for (auto what : {preference_alignment_a, preference_alignment_b, preference_alignment_c,
                          preference_alignment_d})
            wish.set(what, alignment);
        std::array<heuristic_result, proposals> results{};
        int found = 0;
        dev.make_current();
        const auto what = described(alignment);
        const auto status =
            lib.call.MatmulAlgoGetHeuristic(lib.h, what.get(), a.get(), b.get(), c.get(), d.get(),
                                            wish.get(), wanted, results.data(), &found);
        std::vector<choice> list;
        if (status == success)
            for (int i = 0; i < found; i++)
                if (results[std::size_t(i)].state == success)
                    list.push_back(
                        {results[std::size_t(i)].algo, results[std::size_t(i)].workspace});
        return list;
    }
    std::optional<choice> checked(const algorithm& algo) const {
        heuristic_result r{};
        dev.make_current();
        const auto what = described(usual_alignment);
        const auto status = lib.call.MatmulAlgoCheck(lib.h, what.get(), a.get(), b.get(), c.get(),
                                                     d.get(), &algo, &r);
        if (status != success or r.state != success or r.workspace > most_workspace)
            return std::nullopt;
        return choice{algo, r.workspace};
    }
    bool pick_fastest(const std::vector<choice>& found) {
        trial_buffers memory(dev, p, most_workspace);
        if (not memory.ready())
            return false;
        double best = 0;
        const bool traced = trace_enabled("tuning");
        for (const auto& x : found) {
            double ms = 0;
            try {
                ms = memory.milliseconds([&](const gemm_pointers& at) { run_with(x, at); });
            } catch (const exception&) {
                continue; // an algorithm that the library proposes and then declines
            }
            if (traced)
                std::cerr << "tuning " << to_string(p) << ": cublaslt "
                          << text_of(x.algo).substr(0, 32) << ' ' << ms * 1000 << " us\n";
            if (best == 0 or ms < best) {
                best = ms;
                usual = x;
            }
        }
        return best > 0;
    }

    void run_with(const choice& x, const gemm_pointers& at) const {
        dev.make_current();
        const description what(lib, t, at);
        const auto* first = t.swapped ? at.b : at.a;
        const auto* second = t.swapped ? at.a : at.b;
        const auto& steps_a = t.swapped ? p.b : p.a;
        const auto& steps_b = t.swapped ? p.a : p.b;
        const auto calls = p.batches() / t.batch;
        for (int64_t i = 0; i < calls; i++) {
            const auto place = [&](const void* base, const gemm_matrix& m) -> const void* {
                if (base == nullptr)
                    return nullptr;
                int64_t elements = 0;
                auto index = i;
                for (std::size_t axis = p.batch.size() - std::min<std::size_t>(1, p.batch.size());
                     axis-- > 0;) {
                    elements += index % p.batch[axis] * m.batch[axis];
                    index /= p.batch[axis];
                }
                return static_cast<const char*>(base) +
                       elements * int64_t(shape{m.type}.type_size());
            };
            auto* to = const_cast<void*>(place(at.d, p.d));
            const auto* added = p.c ? place(at.c, *p.c) : to;
            const auto status =
                multiply(what, place(first, steps_a), place(second, steps_b), added, to, x, at);
            lib.expect(status, to_string(p).c_str());
        }
    }
    int multiply(const description& what, const void* first, const void* second, const void* added,
                 void* to, const choice& x, const gemm_pointers& at) const {
        const auto call = [&](const auto& alpha, const auto& beta) {
            return lib.call.Matmul(lib.h, what.get(), &alpha, first, a.get(), second, b.get(),
                                   &beta, added, c.get(), to, d.get(), &x.algo, at.workspace,
                                   x.workspace, at.queue);
        };
        const auto beta = p.c ? p.beta : 0;
        switch (t.scale) {
        case r_64f:
            return call(p.alpha, double(beta));
        case r_32i:
            return call(int32_t(p.alpha), int32_t(beta));
        default:
            return call(float(p.alpha), float(beta));
        }
    }

    const opened& lib;
    device& dev;
    gemm_problem p;
    terms t;
    layout a, b, c, d;
    choice usual;
    mutable std::once_flag searched;
    mutable choice unusual;
};

struct cublaslt_library : gemm_library {
    opened lib;
    device& on; ///< lives as long as the process

    explicit cublaslt_library(device& dev) : on(dev) {}
    std::string refusal(const gemm_problem& p) const override { return cublaslt_refusal(p); }
    std::unique_ptr<prepared_gemm> prepare(const gemm_problem& p, bool timed,
                                           std::string& reason) const override {
        const auto t = terms_of(p, reason);
        if (not t)
            return nullptr;
        auto ready = std::make_unique<product>(lib, on, p, *t);
        if (not ready->choose(timed)) {
            reason = "cuBLASLt has no algorithm for it on this device";
            return nullptr;
        }
        return ready;
    }
};

void find_all(const gpu::opened_library& from, functions& f) {
    from.find(f.Create, "cublasLtCreate");
    from.find(f.GetVersion, "cublasLtGetVersion");
    from.find(f.GetStatusString, "cublasLtGetStatusString");
    from.find(f.MatrixLayoutCreate, "cublasLtMatrixLayoutCreate");
    from.find(f.MatrixLayoutDestroy, "cublasLtMatrixLayoutDestroy");
    from.find(f.MatrixLayoutSetAttribute, "cublasLtMatrixLayoutSetAttribute");
    from.find(f.MatmulDescCreate, "cublasLtMatmulDescCreate");
    from.find(f.MatmulDescDestroy, "cublasLtMatmulDescDestroy");
    from.find(f.MatmulDescSetAttribute, "cublasLtMatmulDescSetAttribute");
    from.find(f.MatmulPreferenceCreate, "cublasLtMatmulPreferenceCreate");
    from.find(f.MatmulPreferenceDestroy, "cublasLtMatmulPreferenceDestroy");
    from.find(f.MatmulPreferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute");
    from.find(f.MatmulAlgoGetHeuristic, "cublasLtMatmulAlgoGetHeuristic");
    from.find(f.MatmulAlgoCheck, "cublasLtMatmulAlgoCheck");
    from.find(f.Matmul, "cublasLtMatmul");
}

} // namespace

} // namespace cublaslt

std::unique_ptr<gemm_library> open_cublaslt(device& on, std::string& reason) {
    using namespace cublaslt;
    const auto* file = find_library(gpu::library::cublaslt);
    if (file == nullptr) {
        reason = missing_library(gpu::library::cublaslt);
        return nullptr;
    }
    auto result = std::make_unique<cublaslt_library>(on);
    auto& lib = result->lib;
    find_all(*file, lib.call);
    on.make_current();
    const auto status = lib.call.Create(&lib.h);
    if (status != success) {
        reason = str("cuBLASLt does not start: ", lib.call.GetStatusString(status));
        return nullptr;
    }
    const auto& facts = on.properties();
    lib.version = str("cublaslt ", lib.call.GetVersion(), '|', facts.name, '|', facts.architecture);
    return result;
}

} // namespace migraphx::gpu
