// SPDX-License-Identifier: MIT
// load: a tensor inside of a buffer, `offset` bytes from its begin.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct load_op {
    shape part;
    std::size_t offset = 0;

    static constexpr auto name = "load";
    static constexpr auto summary = "A tensor at a byte offset of a buffer, over the same memory";
    static void fields(field_list<load_op>& f) {
        f.add("shape", &load_op::part, "shape of the tensor");
        f.add("offset", &load_op::offset, "bytes from the begin of the buffer");
    }
    value attributes() const { return {{"lifetime", "borrow"}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        if (part.dynamic())
            fail_shape(str("a static shape was expected, got ", part));
        if (part.is_boxed())
            fail_shape(str("a tensor of numbers was expected, got ", part));
        if (not in[0].dynamic())
            check(in[0].bytes());
        return part;
    }
    void check(std::size_t bytes) const {
        if (offset > bytes or part.bytes() > bytes - offset)
            fail_shape(str(part.bytes(), " bytes at offset ", offset,
                           " inside of the buffer were expected, got a buffer of ", bytes));
    }
    argument view(const shape&, const std::vector<argument>& in) const {
        check(in[0].get_shape().bytes());
        return in[0].view(part, offset);
    }
};

const registered_op<load_op> load_registered;

} // namespace

} // namespace migraphx
