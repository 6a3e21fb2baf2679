// SPDX-License-Identifier: MIT
// <migraphx/gpu/hip.hpp>, contexts and programs of several parts, with the host as the device.
#include <migraphx/generate.hpp>
#include <migraphx/gpu/hip.hpp>
#include <migraphx/register_target.hpp>

#include "gpu_plan_support.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace migraphx::gpu {
namespace {

const bool host_is_device = setenv("MIGRAPHX_HOST_DEVICE", "1", 1) == 0;

const shape six{shape::float_type, {2, 3}};

TEST(gpu_memory, arguments_go_there_and_back) {
    ASSERT_TRUE(host_is_device);
    const auto a = numbers(six);
    const auto there = to_gpu(a);
    EXPECT_TRUE(host_device()->owns(there.data()));
    EXPECT_EQ(to_gpu(there).data(), there.data());
    const auto back = from_gpu(there);
    EXPECT_FALSE(host_device()->owns(back.data()));
    EXPECT_EQ(back, a);
    EXPECT_EQ(from_gpu(a).data(), a.data());
    for (const auto& pinned : {to_gpu(a, true), to_gpu(there, true), register_on_gpu(a)}) {
        EXPECT_FALSE(host_device()->owns(pinned.data()));
        EXPECT_EQ(pinned, a);
    }
    const argument pair{{a, numbers(shape{shape::int32_type, {4}})}};
    const auto pair_there = to_gpu(pair);
    ASSERT_EQ(pair_there.get_sub_objects().size(), 2u);
    EXPECT_TRUE(host_device()->owns(pair_there.get_sub_objects()[1].data()));
    EXPECT_EQ(from_gpu(pair_there), pair);
    // Views keep their strides.
    const auto turned = a.reshape(shape{shape::float_type, {3, 2}, {1, 3}});
    EXPECT_EQ(to_gpu(turned).get_shape(), turned.get_shape());
    EXPECT_EQ(from_gpu(to_gpu(turned)), turned);
}

TEST(gpu_memory, fresh_memory) {
    const auto a = allocate_gpu(six);
    EXPECT_EQ(a.get_shape(), six);
    EXPECT_TRUE(host_device()->owns(a.data()));
    EXPECT_FALSE(host_device()->owns(allocate_gpu(six, true).data()));
    EXPECT_NE(allocate_gpu(shape{shape::float_type, {0, 3}}).data(), nullptr);
    EXPECT_EQ(allocate_gpu(shape{{six, six}}).get_sub_objects().size(), 2u);
}

TEST(gpu_memory, copies_on_a_contexts_queue) {
    auto ctx = make_target("null").get_context();
    const auto a = numbers(six);
    const auto there = allocate_gpu(six), other = allocate_gpu(six);
    argument back{six};
    copy_to_gpu(ctx, a, there);
    gpu_copy(ctx, there, other);
    copy_from_gpu(ctx, other, back);
    gpu_sync(ctx);
    EXPECT_EQ(back, a);
    gpu_fill(ctx, there);
    gpu_fill(ctx, other, 1);
    ctx.finish();
    EXPECT_EQ(from_gpu(there).at<float>(5), 0);
    EXPECT_EQ(reinterpret_cast<const char*>(other.data())[23], 1);
    EXPECT_NE(error_of([&] {
                  gpu_copy(ctx, a, allocate_gpu(shape{shape::float_type, {6}}));
              }).find("gpu_copy"),
              std::string::npos);
    // Another target's context has no queue: the copy is done at once.
    auto none = make_target("ref").get_context();
    copy_from_gpu(none, other, back);
    gpu_sync();
}

TEST(gpu_memory, a_programs_queue_serves_its_runs) {
    auto p = parse_text("x = @param:x -> float_type, {2, 3}\ny = neg(x)\nz = exp(y)\n@return(z)\n");
    p.compile(make_target("null"));
    execution_environment env;
    env.queue = p.get_context().get_queue();
    env.async = true;
    EXPECT_NE(env.queue.unsafe_get(), nullptr);
    EXPECT_EQ(p.get_context().get_queue().unsafe_get(), env.queue.unsafe_get());
    const auto x = to_gpu(fill_argument(six, 0));
    for (int i = 0; i < 3; i++) {
        const auto r = p.eval({{"x", x}}, env);
        p.finish();
        EXPECT_EQ(values(from_gpu(r[0])), std::vector<float>(6, 1));
    }
}

TEST(gpu_memory, other_devices_memory_is_copied_between_devices) {
    const auto on = std::make_shared<counted_device>();
    const auto a = to_device(on, numbers(six));
    on->elsewhere = a.data();
    const auto near = to_device(on, a);
    EXPECT_NE(near.data(), a.data());
    EXPECT_TRUE(on->owns(near.data()));
    EXPECT_EQ(to_host(on, near), numbers(six));
    EXPECT_EQ(to_host(on, a), numbers(six));
    EXPECT_EQ(to_device(on, a, true), numbers(six));
    EXPECT_EQ(on->count->copies[int(copy_kind::between_devices)], 3);
}

TEST(gpu_memory, programs_take_and_fill_other_devices_memory) {
    const std::string text = R"(
x = @param:x -> float_type, {2, 3}
y = neg(x)
@return(y)
)";
    for (const bool offload : {true, false}) {
        const ready p(text, offload);
        auto& between = p.count().copies[int(copy_kind::between_devices)];
        const auto far = p.device(numbers(six));
        const auto turned = far.reshape(shape{shape::float_type, {2, 3}, {1, 2}});
        for (const auto& x : {far, turned}) {
            p.back->on->elsewhere = far.data();
            const auto r = p.run({{"x", x}});
            p.back->on->elsewhere = nullptr;
            EXPECT_EQ(values(to_host(p.back->on, r[0]))[1], -to_host(p.back->on, x).at<float>(1));
        }
        EXPECT_EQ(between, 2);
        if (offload)
            continue;
        const auto out = p.device(argument::uninitialized(six));
        p.back->on->elsewhere = out.data();
        const auto r = p.run({{"x", far}, {"main:#output_0", out}});
        p.back->on->elsewhere = nullptr;
        EXPECT_EQ(r[0].data(), out.data());
        EXPECT_EQ(values(to_host(p.back->on, out)), (std::vector<float>{-1, -2, -3, -4, -5, -6}));
        EXPECT_EQ(between, 3);
    }
}

// ---- programs of several parts

const std::string parted = R"(
x = @param:x -> float_type, {[1..8], 3}
a = neg(x)
i = nonzero[use_dyn_output=1](a)
s = abs(x)
@return(i, s)
)";

TEST(gpu_parts, data_decide_sizes_and_results_are_where_callers_expect_them) {
    for (const bool offload : {true, false}) {
        const ready p(parted, offload);
        for (const std::size_t n : {2u, 5u, 2u}) {
            auto x = numbers(shape{shape::float_type, {n, 3}}, 0); // one zero
            if (not offload)
                x = p.device(x);
            const auto r = p.run({{"x", x}});
            ASSERT_EQ(r.size(), 2u);
            EXPECT_EQ(r[0].get_shape().lens(), (std::vector<std::size_t>{2, 3 * n - 1}));
            EXPECT_EQ(p.back->on->owns(r[0].data()), not offload);
            EXPECT_EQ(p.back->on->owns(r[1].data()), not offload);
            EXPECT_EQ(to_host(p.back->on, r[1]).at<float>(3 * n - 1), float(3 * n - 1));
            EXPECT_FALSE(p.exec->profile({{"x", x}}).empty());
        }
    }
}

TEST(gpu_parts, branches_run_on_the_host_between_the_devices_steps) {
    const std::string text = R"(module: "main"
cond = @param:cond -> bool_type, {1}
x = @param:x -> float_type, {2, 3}
a = neg(x)
r = if(cond), [yes, no]
t = get_tuple_elem[index=0](r)
y = exp(t)
@return(y)
module: "yes"
p = neg(a)
@return(p)
module: "no"
q = sub(a, a)
@return(q)
)";
    for (const bool offload : {true, false}) {
        const ready p(text, offload);
        for (int i = 0; i < 6; i++) {
            argument cond{shape{shape::bool_type, {1}}};
            cond.data()[0] = i % 2 == 0 ? 1 : 0;
            auto x = fill_argument(six, 0.5);
            if (not offload) {
                x = p.device(x);
                cond = p.device(cond);
            }
            const auto r = p.run({{"x", x}, {"cond", cond}});
            EXPECT_FLOAT_EQ(to_host(p.back->on, r[0]).at<float>(4),
                            i % 2 == 0 ? std::exp(0.5f) : 1.0f);
        }
    }
}

// Bounds that a run computes, boxes and nonzero elements: only what decides a size, or the size
// itself, comes to the host.
TEST(gpu_parts, data_stay_on_the_device) {
    const std::string cut = R"(
x = @param:x -> float_type, {400, 3}
n = @param:n -> int64_type, {1}
zero = @literal{0} -> int64_type, {1}
a = neg(x)
m = add(n, n)
r = slice_dynamic(a, zero, m)
pads = concat[axis=0](zero, zero, m, zero)
edge = pad_dynamic[mode=0](r, pads)
b = abs(edge)
@return(b)
)";
    for (const bool offload : {true, false}) {
        const ready p(cut, offload);
        auto& to_host_copies = p.count().copies[int(copy_kind::to_host)];
        for (int64_t n : {70, 30, 70}) {
            auto x = numbers(shape{shape::float_type, {400, 3}});
            argument bound{shape{shape::int64_type, {1}}};
            bound.data()[0] = char(n);
            if (not offload) {
                x = p.device(x);
                bound = p.device(bound);
            }
            const int before = to_host_copies;
            const auto r = p.run({{"x", x}, {"n", bound}});
            // The bounds of two operators, and the result for callers who want it there.
            EXPECT_EQ(to_host_copies - before, offload ? 3 : 2);
            ASSERT_EQ(r[0].get_shape().lens(), (std::vector<std::size_t>{std::size_t(4 * n), 3}));
            EXPECT_EQ(p.back->on->owns(r[0].data()), not offload);
            const auto v = values(to_host(p.back->on, r[0]));
            EXPECT_EQ(v[1], 2);
            EXPECT_EQ(v[std::size_t(6 * n - 1)], float(6 * n));
            EXPECT_EQ(v[std::size_t(6 * n)], 0);
        }
    }
    const std::string counted = R"(
x = @param:x -> float_type, {400, 3}
a = neg(x)
i = nonzero[use_dyn_output=1](a)
b = abs(i)
@return(b)
)";
    const ready p(counted, false);
    const auto x = p.device(numbers(shape{shape::float_type, {400, 3}}, 0));
    auto& to_host_copies = p.count().copies[int(copy_kind::to_host)];
    to_host_copies = 0;
    const auto r = p.run({{"x", x}});
    EXPECT_EQ(to_host_copies, 1);
    EXPECT_EQ(r[0].get_shape().lens(), (std::vector<std::size_t>{2, 1199}));
}

TEST(gpu_parts, runs_that_nobody_waits_for_are_complete_between_the_parts) {
    for (const bool offload : {true, false}) {
        const ready p(parted, offload);
        const auto queue = p.back->on->make_stream();
        execution_environment env;
        env.queue = any_ptr{queue.get()};
        env.async = true;
        for (int i = 0; i < 20; i++) {
            auto x = numbers(shape{shape::float_type, {8, 3}}, 1 - i); // a zero moves through it
            if (not offload)
                x = p.device(x);
            p.back->on->watched = queue.get();
            p.back->on->watched_waits = 0;
            const auto r = p.run({{"x", x}}, env);
            // The host does all at once; a device has the first part's results only after a wait.
            EXPECT_EQ(p.back->on->watched_waits, 1);
            p.back->on->synchronize(queue.get());
            EXPECT_EQ(r[0].get_shape().lens()[1], i == 0 ? 24u : 23u);
            EXPECT_EQ(to_host(p.back->on, r[1]).at<float>(23), std::abs(float(24 - i)));
        }
    }
}

TEST(gpu_parts, sizes_that_inputs_give_need_no_detour) {
    for (const bool offload : {true, false}) {
        const ready p(
            "x = @param:x -> float_type, {[1..8], 3}\na = neg(x)\nb = abs(a)\n@return(b)\n",
            offload);
        for (int i = 0; i < 9; i++) {
            const std::size_t n = 1 + i % 3;
            auto x = numbers(shape{shape::float_type, {n, 3}}, -1);
            if (not offload)
                x = p.device(x);
            const auto copies = p.count().copies[int(copy_kind::to_device)].load();
            const auto r = p.run({{"x", x}});
            EXPECT_EQ(p.count().copies[int(copy_kind::to_device)] - copies, offload ? 1 : 0);
            EXPECT_EQ(to_host(p.back->on, r[0]).at<float>(0), 1);
            EXPECT_EQ(r[0].get_shape().lens().front(), n);
        }
        EXPECT_GT(p.count().replayed, 0);
    }
}

} // namespace
} // namespace migraphx::gpu
