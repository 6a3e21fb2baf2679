// SPDX-License-Identifier: MIT
// Programs of strings, sequences and optionals, written as text, on every host target.
#include <migraphx/argument.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <gtest/gtest.h>

using namespace migraphx;

namespace {

std::string text_of(const argument& a) {
    if (a.get_shape().type() != shape::tuple_type)
        return a.to_string();
    std::string result;
    for (const auto& x : a.get_sub_objects())
        result += (result.empty() ? "" : " | ") + text_of(x);
    return "[" + result + "]";
}

// The results, one a line. The program is printed, read, saved and loaded on the way.
std::string results_of(const std::string& text, const std::string& target,
                       const parameter_map& params = {}) {
    auto p = parse_text(to_text(parse_text(text), {true}));
    p = load_buffer(save_buffer(p));
    p.compile(make_target(target));
    std::string result;
    for (const auto& r : p.eval(params))
        result += text_of(r) + "\n";
    return result;
}

struct boxed_case {
    const char* name;
    const char* text;
    const char* results;
};

const boxed_case cases[] = {
    {"sequence", R"(
a = @literal{1, 2} -> float_type, {2}, {1}
b = @literal{3} -> float_type, {1}, {1}
p = @literal{-1} -> int64_type, {1}, {0}
s = sequence_construct(a,b)
t = sequence_insert(s,a,p)
e = sequence_erase(t)
n = sequence_length(t)
x = sequence_at(t,p)
c = concat_from_sequence[axis=0](t)
r = relu(c)
@return(t,e,n,x,r)
)",
     "[1, 2 | 1, 2 | 3]\n[1, 2 | 1, 2]\n3\n3\n1, 2, 1, 2, 3\n"},
    {"empty", R"(
s = sequence_construct[type=half_type]
n = sequence_length(s)
o = optional[type=sequence[half_type, {2}, {1}]]
h = optional_has_element(o)
q = optional(s)
g = optional_get_element(q)
@return(s,n,o,h,g)
)",
     "[]\n0\n[]\n0\n[]\n"},
    {"split", R"(
x = @literal{1, 2, 3, 4, 5, 6} -> int64_type, {2, 3}, {3, 1}
k = @literal{2} -> int64_type, {1}, {0}
l = @literal{1, 0, 2} -> int64_type, {3}, {1}
a = split_to_sequence[axis=1](x,k)
b = split_to_sequence[axis=-1](x,l)
c = split_to_sequence[axis=0,keepdims=0](x)
d = concat_from_sequence[axis=1,new_axis=1](c)
@return(a,b,c,d)
)",
     "[1, 2, 4, 5 | 3, 6]\n[1, 4 |  | 2, 3, 5, 6]\n[1, 2, 3 | 4, 5, 6]\n1, 4, 2, 5, 3, 6\n"},
    {"strings", R"(
a = @literal{"x", "Yy", ""} -> string_type, {3}, {1}
b = @literal{"-"} -> string_type, {1}, {0}
w = multibroadcast[out_lens={3}](b)
c = string_concat(a,w)
e = string_equal(a,c)
i = @literal{2, 1} -> int64_type, {2}, {1}
g = gather[axis=0](c,i)
j = concat[axis=0](g,a)
m = regex_full_match[pattern="[a-z]*-?"](j)
u = string_normalizer[case_change=upper,stopwords={x}](a)
@return(c,e,g,j,m,u)
)",
     "\"x-\", \"Yy-\", \"-\"\n0, 0, 0\n\"-\", \"Yy-\"\n\"-\", \"Yy-\", \"x\", \"Yy\", \"\"\n1, 0, "
     "1, 0, 1\n\"YY\", \"\"\n"},
    {"numbers and choice", R"(
a = @literal{"1e-3", " 7 ", "INF"} -> string_type, {3}, {1}
b = @literal{"x", "y", "z"} -> string_type, {3}, {1}
c = @literal{1, 0, 1} -> bool_type, {3}, {1}
f = string_to_number(a)
n = @literal{0.25, -3, 1e-05} -> float_type, {3}, {1}
t = number_to_string(n)
w = string_where(c,a,b)
@return(f,t,w)
)",
     "0.001, 7, inf\n\"0.25\", \"-3.0\", \"1e-05\"\n\"1e-3\", \"y\", \"INF\"\n"},
    {"split strings", R"(
a = @literal{"a,b,,c", "d"} -> string_type, {2}, {1}
s = string_split[delimiter=",",maxsplit=2](a)
p = get_tuple_elem[index=0](s)
n = get_tuple_elem[index=1](s)
@return(p,n)
)",
     "\"a\", \"b\", \",c\", \"d\", \"\", \"\"\n3, 1\n"},
    {"a loop that grows a sequence of growing tensors", R"(
module: "body"
parameters: {i, go, s, x}
i = @param:i -> int64_type, {1}, {0}
go = @param:go -> bool_type, {1}, {0}
s = @param:s -> sequence[dynamic, int64_type, {[0..18446744073709551615]}]
x = @param:x -> dynamic, int64_type, {[0..18446744073709551615]}
u = unsqueeze[axes={0}](i)
y = concat[axis=0](x,u)
t = sequence_insert(s,y)
k = identity(go)
@return(k,t,y)
module: "main"
n = @literal{4} -> int64_type, {1}, {0}
c = @literal{1} -> bool_type, {1}, {0}
e = sequence_construct[type=int64_type]
f = @literal{7} -> int64_type, {1}, {1}
l = loop_dynamic[max_iterations=100](n,c,e,f), [body]
r = get_tuple_elem[index=0](l)
x = get_tuple_elem[index=1](l)
@return(r,x)
)",
     "[7, 0 | 7, 0, 1 | 7, 0, 1, 2 | 7, 0, 1, 2, 3]\n7, 0, 1, 2, 3\n"},
    {"map", R"(
module: "body"
parameters: {e, w}
e = @param:e -> dynamic, float_type, {[0..9]}
w = @param:w -> float_type, {1}, {1}
b = multibroadcast(w,e)
y = mul(e,b)
@return(y)
module: "main"
a = @literal{1, 2} -> float_type, {2}, {1}
b = @literal{3} -> float_type, {1}, {1}
s = sequence_construct(a,b)
m = sequence_map(s,b), [body]
r = get_tuple_elem[index=0](m)
@return(r)
)",
     "[3, 6 | 9]\n"},
};

TEST(runtime_boxed, programs) {
    for (const auto& c : cases)
        for (const auto* target : {"ref", "cpu"})
            EXPECT_EQ(results_of(c.text, target), c.results) << c.name << " on " << target;
}

TEST(runtime_boxed, positions_are_checked) {
    const std::string text = R"(
s = @param:s -> sequence[dynamic, float_type, any]
p = @param:p -> int64_type, {1}, {0}
x = sequence_at(s,p)
@return(x)
)";
    const std::vector<float> data{1, 2, 3};
    const argument one{shape{shape::float_type, {3}}, data.data()};
    for (int64_t p : {int64_t{-3}, int64_t{2}, std::numeric_limits<int64_t>::max(),
                      std::numeric_limits<int64_t>::min()}) {
        const argument at{shape{shape::int64_type}, &p};
        try {
            results_of(text, "cpu", {{"s", argument{std::vector<argument>{one, one}}}, {"p", at}});
            FAIL() << p;
        } catch (const exception& e) {
            const std::string what = e.what();
            EXPECT_NE(what.find("a position in [-2, 1] was expected for a sequence of 2, got " +
                                std::to_string(p)),
                      std::string::npos)
                << what;
            EXPECT_NE(what.find("sequence_at"), std::string::npos) << what;
        }
    }
}

} // namespace
