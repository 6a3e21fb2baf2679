// SPDX-License-Identifier: MIT
#include "ir/artifacts.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

std::optional<value::binary> artifact_store::find(const std::string& name) const {
    const std::lock_guard lock(mutex);
    auto it = items.find(name);
    return it == items.end() ? std::nullopt : std::optional(it->second);
}

void artifact_store::put(const std::string& name, value::binary bytes) {
    const std::lock_guard lock(mutex);
    items.insert_or_assign(name, std::move(bytes));
}

void artifact_store::offer(const std::string& name, std::function<value::binary()> make) {
    const std::lock_guard lock(mutex);
    offers.insert_or_assign(name, std::move(make));
}

bool artifact_store::empty() const {
    const std::lock_guard lock(mutex);
    return items.empty() and offers.empty();
}

value artifact_store::to_value() const {
    const std::lock_guard lock(mutex);
    for (const auto& [name, make] : offers)
        if (items.find(name) == items.end())
            if (auto bytes = make(); bytes.size() > 0)
                items.emplace(name, std::move(bytes));
    value result = value::object{};
    for (const auto& [name, bytes] : items)
        result[name] = bytes;
    return result;
}

void artifact_store::from_value(const value& v) {
    if (not v.is_object())
        fail(error_kind::invalid_argument, "artifacts: expected an object of binaries");
    std::map<std::string, value::binary> read;
    for (const auto& x : v) {
        if (not x.is_binary())
            fail(error_kind::invalid_argument,
                 "artifacts: expected bytes under '" + x.get_key() + "', got something else");
        read.insert_or_assign(x.get_key(), x.get_binary());
    }
    const std::lock_guard lock(mutex);
    items = std::move(read);
}

} // namespace migraphx
