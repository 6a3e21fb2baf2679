// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/walk.hpp"

#include "targets/gpu/device_code/fast_div.cuh"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace migraphx::gpu {

int64_t product_of(const sizes& lens) {
    return std::accumulate(lens.begin(), lens.end(), int64_t{1}, std::multiplies<>{});
}

// ---- boxes

void box::simplify(bool in_order) {
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < rank(); d++)
        if (lens[d] != 1)
            order.push_back(d);
    if (not strides.empty() and not in_order)
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::abs(strides[0][a]) > std::abs(strides[0][b]);
        });
    box result;
    result.strides.resize(strides.size());
    for (auto d : order) {
        const bool goes_on = not result.lens.empty() and
                             std::all_of(strides.begin(), strides.end(), [&](const sizes& s) {
                                 const auto k = std::size_t(&s - strides.data());
                                 return result.strides[k].back() == s[d] * lens[d];
                             });
        if (goes_on) {
            result.lens.back() *= lens[d];
            for (std::size_t k = 0; k < strides.size(); k++)
                result.strides[k].back() = strides[k][d];
            continue;
        }
        result.lens.push_back(lens[d]);
        for (std::size_t k = 0; k < strides.size(); k++)
            result.strides[k].push_back(strides[k][d]);
    }
    if (result.lens.empty()) {
        result.lens = {1};
        for (auto& s : result.strides)
            s = {0};
    }
    *this = std::move(result);
}

int64_t box::widest_access(std::size_t elem, std::size_t moved, const sizes& offsets) const {
    const auto last = rank() - 1;
    for (std::size_t k = 0; k < strides.size(); k++)
        if (strides[k][last] != (k < moved ? 1 : 0))
            return 1;
    for (int64_t v = int64_t(16 / elem); v > 1; v /= 2) {
        bool fits = lens[last] % v == 0;
        for (auto o : offsets)
            fits = fits and o % v == 0;
        for (std::size_t k = 0; k < moved; k++)
            for (std::size_t d = 0; d < last; d++)
                fits = fits and strides[k][d] % v == 0;
        if (fits)
            return v;
    }
    return 1;
}

void box::widen(int64_t elements, std::size_t moved) {
    const auto last = rank() - 1;
    lens[last] /= elements;
    for (std::size_t k = 0; k < moved; k++)
        for (std::size_t d = 0; d < last; d++)
            strides[k][d] /= elements;
}

bool box::is_large() const {
    constexpr int64_t most = int64_t{1} << 30;
    int64_t count = 1;
    for (auto n : lens)
        if (n > 0 and (count *= n) >= most)
            return true;
    for (const auto& s : strides) {
        int64_t span = 0;
        for (std::size_t d = 0; d < rank(); d++)
            if ((span += std::abs(s[d]) * std::max<int64_t>(lens[d] - 1, 0)) >= most)
                return true;
    }
    return false;
}

// ---- params

void index_params::add(int64_t x) {
    if (wide)
        block.add(x);
    else
        block.add(int32_t(x));
}

void index_params::add(const sizes& x) {
    for (auto i : x)
        add(i);
}

void index_params::add_divider(int64_t n) {
    n = std::max<int64_t>(n, 1);
    if (wide)
        block.add(mgx::make_fast_div64(uint64_t(n)));
    else
        block.add(mgx::make_fast_div(uint64_t(n)));
}

void index_params::add(const box& b) {
    for (auto n : b.lens)
        add_divider(n);
    for (const auto& s : b.strides)
        add(s);
}

void index_params::add(const std::string& name, int64_t x) {
    members += "    Index " + name + ";\n";
    add(x);
}

void index_params::add_divider(const std::string& name, int64_t n) {
    members += "    divider<Index> " + name + ";\n";
    add_divider(n);
}

std::string index_params::declaration() const {
    return std::string("using Index = ") + (wide ? "u64" : "u32") + ";\nstruct sizes {\n" +
           members + "};\n";
}

// A struct is as long as a multiple of its widest member.
std::vector<char> index_params::data() const {
    auto bytes = block.data();
    const std::size_t line = wide ? 8 : 4;
    bytes.resize((bytes.size() + line - 1) / line * line);
    return bytes;
}

void add_repeated(index_params& params, const std::vector<char>& element) {
    char bytes[16] = {};
    for (std::size_t i = 0; i < sizeof(bytes) and not element.empty(); i++)
        bytes[i] = element[i % element.size()];
    int32_t words[4];
    std::memcpy(words, bytes, sizeof(words));
    for (auto w : words)
        params.add_int(w);
}

launch_shape launch_for(const device& on, int64_t n) {
    // Enough waves to hide the tail, few enough that a thread's start is paid for.
    const int64_t most = int64_t{64} * std::max(1, on.properties().multiprocessors);
    const auto blocks = std::min((n + block_size - 1) / block_size, most);
    return {{uint32_t(std::max<int64_t>(blocks, 0))}, {block_size}};
}

std::string entry_text(const std::string& header, const std::string& entry,
                       const std::string& parameters, const std::string& body) {
    return "#include \"" + header + "\"\n\nnamespace mgx {\nMGX_KERNEL_BOUNDS(" +
           std::to_string(block_size) + ") void " + entry + "(" + parameters + ") {\n    " + body +
           "\n}\n} // namespace mgx\n";
}

void entry_list::add(const std::string& entry, const std::string& body, launch_shape launch) {
    generated g;
    g.name = name;
    g.entry = entry;
    g.source = entry_text(header, entry, parameters, body);
    g.params = params;
    g.scratch = scratch;
    g.launch = std::move(launch);
    launches.push_back(std::move(g));
}

// ---- types

std::string device_type(shape::type_t t) {
    switch (t) {
    case shape::bool_type:
        return "bool";
    case shape::half_type:
        return "half";
    case shape::bf16_type:
        return "bf16";
    case shape::float_type:
        return "f32";
    case shape::double_type:
        return "f64";
    case shape::fp8e4m3fn_type:
        return "fp8e4m3fn";
    case shape::fp8e5m2_type:
        return "fp8e5m2";
    case shape::fp8e4m3fnuz_type:
        return "fp8e4m3fnuz";
    case shape::fp8e5m2fnuz_type:
        return "fp8e5m2fnuz";
    default:
        return index_type(t);
    }
}

std::string index_type(shape::type_t t) {
    switch (t) {
    case shape::int8_type:
        return "i8";
    case shape::uint8_type:
        return "u8";
    case shape::int16_type:
        return "i16";
    case shape::uint16_type:
        return "u16";
    case shape::int32_type:
        return "i32";
    case shape::uint32_type:
        return "u32";
    case shape::int64_type:
        return "i64";
    case shape::uint64_type:
        return "u64";
    default:
        return {};
    }
}

} // namespace migraphx::gpu
