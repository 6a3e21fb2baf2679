// SPDX-License-Identifier: MIT
#include "import/report_builder.hpp"

#include "import/quote.hpp"

#include <algorithm>
#include <vector>

namespace migraphx {

void report_builder::count(const observed_node& n, bool is_known) {
    auto& u = uses[key_of(n)];
    u.count++;
    if (is_known)
        return;
    u.supported = false;
    add_problem(n, "unknown operator");
}

void report_builder::add_problem(const observed_node& n, const std::string& message) {
    if (not failed.insert(n.place).second)
        return;
    uses[key_of(n)].supported = false;
    problems.push_back({{"node", n.place},
                        {"domain", std::string(n.domain)},
                        {"operator", std::string(n.op_type)},
                        {"message", message}});
}

void report_builder::add_parameters(double elements, double bytes) {
    parameters++;
    parameter_elements += elements;
    parameter_bytes += bytes;
}

std::string plain_type_name(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return "float32";
    case shape::double_type:
        return "float64";
    case shape::half_type:
        return "float16";
    case shape::bf16_type:
        return "bfloat16";
    default: {
        const auto name = shape::name(t);
        return name.substr(0, name.rfind("_type"));
    }
    }
}

void report_builder::add_type(const shape& s) {
    if (s.type() != shape::tuple_type)
        types.insert(plain_type_name(s.type()));
    for (const auto& x : s.sub_shapes())
        add_type(x);
}

void report_builder::node_read(const observed_node& n, const module_mark& before,
                               const std::vector<instruction_ref>& results) {
    auto& u = uses[key_of(n)];
    before.for_each_new([&](instruction_ref ins) {
        u.work += cost_of(ins);
        if (ins->name() != "undefined")
            add_type(ins->get_shape());
    });
    for (auto x : results)
        if (x->name() != "undefined")
            add_type(x->get_shape());
}

void report_builder::take_work(const report_builder& sized) {
    for (auto& [k, u] : uses) {
        const auto it = sized.uses.find(k);
        u.work = it == sized.uses.end() ? cost{} : it->second.work;
    }
    unsized = sized.failed.size() + sized.unexamined;
}

void report_builder::node_failed(const observed_node& n, const exception& e) {
    // The first line says what, the others where.
    std::string text = e.what();
    std::replace(text.begin(), text.end(), '\n', ';');
    add_problem(n, text);
}

void report_builder::node_left_out(const observed_node&) {
    unexamined++;
}

value report_builder::finish() const {
    value report = head;
    std::vector<std::pair<key, use>> sorted(uses.begin(), uses.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        if (a.second.work.flops != b.second.work.flops)
            return a.second.work.flops > b.second.work.flops;
        return a.second.work.bytes > b.second.work.bytes;
    });
    cost all;
    std::size_t nodes = 0;
    value operators = value::array{};
    for (const auto& [k, u] : sorted) {
        all += u.work;
        nodes += u.count;
        operators.push_back({{"domain", printable(k.first)},
                             {"name", printable(k.second)},
                             {"count", u.count},
                             {"flops", u.work.flops},
                             {"bytes", u.work.bytes},
                             {"supported", u.supported}});
    }
    report["operators"] = operators;
    report["nodes"] = nodes;
    report["parameters"] = {
        {"count", parameters}, {"elements", parameter_elements}, {"bytes", parameter_bytes}};
    value names = value::array{};
    for (const auto& t : types)
        names.push_back(t);
    report["types"] = names;
    report["flops"] = all.flops;
    report["bytes"] = all.bytes;
    report["problems"] = problems;
    report["unexamined"] = unexamined;
    report["unsized"] = unsized;
    report["supported"] = failed.empty();
    return report;
}

value tensor_line(const std::string& name, const std::string& type, const value& dims,
                  const std::string& read_as) {
    return {{"name", name}, {"type", type}, {"dims", dims}, {"read_as", read_as}};
}

} // namespace migraphx
