// SPDX-License-Identifier: MIT
#include <migraphx/json.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/register_op.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

namespace migraphx {

namespace {

struct registry {
    std::shared_mutex mutex;
    std::map<std::string, operation> ops;
    // Records live as long as the process: operations point at them.
    std::vector<std::unique_ptr<op_info>> records;
};

registry& operators() {
    static auto* r = new registry; // never destroyed: static operations outlive main
    return *r;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); j++)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); i++) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); j++) {
            const auto above = row[j];
            row[j] =
                std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

std::string nearest(const std::string& name) {
    std::string best;
    std::size_t distance = 4;
    for (const auto& candidate : get_operators()) {
        const auto d = edit_distance(name, candidate);
        if (d < distance) {
            distance = d;
            best = candidate;
        }
    }
    return best;
}

} // namespace

void register_op_info(const op_info& info) {
    auto& r = operators();
    std::unique_lock lock(r.mutex);
    r.records.push_back(std::make_unique<op_info>(info));
    r.ops[info.name] = operation{*r.records.back()};
}

void register_op(const operation& op) {
    auto& r = operators();
    std::unique_lock lock(r.mutex);
    r.ops[op.name()] = op;
}

void unregister_op(const std::string& name) {
    auto& r = operators();
    std::unique_lock lock(r.mutex);
    r.ops.erase(name);
}

bool has_op(const std::string& name) {
    auto& r = operators();
    std::shared_lock lock(r.mutex);
    return r.ops.contains(name);
}

operation load_op(const std::string& name) {
    {
        auto& r = operators();
        std::shared_lock lock(r.mutex);
        auto it = r.ops.find(name);
        if (it != r.ops.end())
            return it->second;
    }
    const auto guess = nearest(name);
    fail(error_kind::invalid_argument,
         "Operator not found: " + name + (guess.empty() ? "" : "; did you mean '" + guess + "'?"));
}

std::vector<std::string> get_operators() {
    auto& r = operators();
    std::shared_lock lock(r.mutex);
    std::vector<std::string> names;
    for (const auto& item : r.ops)
        names.push_back(item.first);
    return names;
}

operation make_op(const std::string& name) {
    return make_op_from_value(name, {});
}

operation make_op(const std::string& name,
                  const std::initializer_list<std::pair<std::string, value>>& v) {
    value attributes = value::object{};
    for (const auto& item : v)
        attributes[item.first] = item.second;
    return make_op_from_value(name, attributes);
}

operation make_op_from_value(const std::string& name, const value& v) {
    // "unknown:<op>" stands for an operator of the model that this library does not know.
    static const std::string unknown = "unknown:";
    if (name.size() > unknown.size() and name.starts_with(unknown) and not has_op(name))
        return make_op(unknown, {{"op", name.substr(unknown.size())}});
    auto op = load_op(name);
    if (not v.is_null())
        op.from_value(v);
    return op;
}

operation make_json_op(const std::string& name, const std::string& s) {
    return make_op_from_value(name, from_json_string(convert_to_json(s)));
}

} // namespace migraphx
