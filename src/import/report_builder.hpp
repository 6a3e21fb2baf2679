// SPDX-License-Identifier: MIT
// Gathers a report while a model is read; the formats add what only they know.
#pragma once

#include "import/import_observer.hpp"
#include "ops/cost.hpp"

#include <migraphx/program.hpp>
#include <migraphx/value.hpp>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace migraphx {

class report_builder : public import_observer {
public:
    value head = value::object{}; ///< file, format, producer, opsets, inputs, outputs

    /// A node of the model, whether or not it will be read.
    void count(const observed_node& n, bool is_known);
    void add_problem(const observed_node& n, const std::string& message);
    void add_parameters(double elements, double bytes);
    /// A type that the model names, as "float32".
    void add_type(const std::string& name) { types.insert(name); }
    void add_type(const shape& s);
    bool has_problem(const std::string& place) const { return failed.count(place) != 0; }

    void node_read(const observed_node& n, const module_mark& before,
                   const std::vector<instruction_ref>& results) override;
    void node_failed(const observed_node& n, const exception& e) override;
    void node_left_out(const observed_node& n) override;

    std::size_t problem_count() const { return failed.size(); }
    /// Takes the work that another reading of the same model found, with sizes that this one lacks.
    void take_work(const report_builder& sized);

    value finish() const;

private:
    struct use {
        std::size_t count = 0;
        bool supported = true;
        cost work;
    };
    using key = std::pair<std::string, std::string>;

    static key key_of(const observed_node& n) {
        return {std::string(n.domain), std::string(n.op_type)};
    }

    std::map<key, use> uses;
    value problems = value::array{};
    std::set<std::string> failed;
    std::set<std::string> types;
    std::size_t parameters = 0, unexamined = 0, unsized = 0;
    double parameter_elements = 0, parameter_bytes = 0;
};

/// "float32" for float_type and so on.
std::string plain_type_name(shape::type_t t);

/// {name, type, dims, read_as} for an input or output.
value tensor_line(const std::string& name, const std::string& type, const value& dims,
                  const std::string& read_as = "");

} // namespace migraphx
