// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/kept_code.hpp"

#include "base/str.hpp"

#include <functional>
#include <mutex>
#include <unordered_set>

namespace migraphx::cpu {

namespace {

std::size_t hash_but_batch(const problem& p) {
    std::string text = str(p.op, p.inputs[1], p.inputs.size());
    for (const auto* s : {&p.inputs[0], &p.output})
        for (std::size_t i = 1; i < s->ndim(); i++)
            text += str(' ', s->lens()[i], ':', s->strides()[i]);
    return std::hash<std::string>{}(text);
}

} // namespace

bool may_keep_code(const problem& p) {
    static std::mutex mutex;
    static std::unordered_set<std::size_t> kept;
    const auto key = hash_but_batch(p);
    const std::lock_guard lock(mutex);
    if (kept.contains(key))
        return true;
    if (p.many_sizes and kept.size() >= most_kept_code)
        return false;
    kept.insert(key);
    return true;
}

} // namespace migraphx::cpu
