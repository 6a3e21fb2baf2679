// SPDX-License-Identifier: MIT
// Artifacts of compiled programs: kept by name, saved with the program, refused when malformed.
#include <migraphx/errors.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "base/files.hpp"
#include "ir/artifacts.hpp"
#include "ir/program_impl.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace migraphx {
namespace {

value::binary bytes(std::size_t n, char c) {
    return value::binary(std::vector<char>(n, c));
}

program compiled() {
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", shape{shape::float_type, {4}});
    m->add_return({m->add_instruction(make_op("relu"), x)});
    p.compile(make_target("ref"));
    return p;
}

artifact_store& artifacts_of(program& p) {
    return *program_access::impl(p).artifacts;
}

TEST(ir_artifacts, found_by_name) {
    artifact_store s;
    EXPECT_TRUE(s.empty());
    EXPECT_FALSE(s.find("a"));
    s.put("a", bytes(3, 1));
    s.put("b", bytes(0, 1));
    s.put("a", bytes(5, 2));
    EXPECT_EQ(*s.find("a"), bytes(5, 2));
    EXPECT_EQ(s.find("b")->size(), 0u);
    artifact_store t;
    t.from_value(s.to_value());
    EXPECT_EQ(*t.find("a"), bytes(5, 2));
    EXPECT_TRUE(t.find("b"));
}

TEST(ir_artifacts, offers_are_made_when_saving) {
    artifact_store s;
    int made = 0;
    s.put("there", bytes(2, 1));
    s.offer("there", [&] { return made++, bytes(9, 9); });
    s.offer("wanted", [&] { return made++, bytes(4, 3); });
    s.offer("nothing", [&] { return made++, bytes(0, 0); });
    EXPECT_FALSE(s.empty());
    EXPECT_FALSE(s.find("wanted"));
    const value v = s.to_value();
    EXPECT_EQ(v.size(), 2u);
    EXPECT_EQ(v.at("wanted").get_binary(), bytes(4, 3));
    EXPECT_EQ(v.at("there").get_binary(), bytes(2, 1));
    s.to_value();
    EXPECT_EQ(made, 3); // what gives nothing is asked again
}

TEST(ir_artifacts, travel_with_a_compiled_program) {
    auto p = compiled();
    EXPECT_FALSE(p.to_value().contains("artifacts"));
    artifacts_of(p).put("kernel|avx2", bytes(10000, 7));
    program copy = p;
    EXPECT_TRUE(artifacts_of(copy).find("kernel|avx2"));
    const auto file = fs::temp_directory_path() / ("art-" + std::to_string(::getpid()) + ".mxr");
    save(p, file.string());
    {
        auto q = load(file.string());
        const auto found = artifacts_of(q).find("kernel|avx2");
        ASSERT_TRUE(found);
        EXPECT_EQ(*found, bytes(10000, 7));
        EXPECT_NE(found->owner(), nullptr); // in the mapped file
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->data()) % 64, 0u);
        EXPECT_EQ(q.to_value(), p.to_value());
    }
    fs::remove(file);
    file_options json;
    json.format = "json";
    auto r = load_buffer(save_buffer(p, json), json);
    EXPECT_EQ(*artifacts_of(r).find("kernel|avx2"), bytes(10000, 7));
}

TEST(ir_artifacts, malformed_ones_are_refused) {
    auto p = compiled();
    artifacts_of(p).put("k", bytes(3, 1));
    for (const value& wrong : {value(3), value("text"), value{value(1), value(2)}, value{{"k", 1}},
                               value{{"k", {{"bytes", "no"}}}}}) {
        auto v = p.to_value();
        v["artifacts"] = wrong;
        program q;
        EXPECT_THROW(q.from_value(v), exception);
    }
}

} // namespace
} // namespace migraphx
