// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_MODULE_REF_HPP
#define MIGRAPHX_MODULE_REF_HPP

namespace migraphx {
struct module;
using module_ref = module*;
using const_module_ref = const module*;
} // namespace migraphx
#endif
