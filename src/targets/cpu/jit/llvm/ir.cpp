// SPDX-License-Identifier: MIT
// ir.hpp on LLVM: the builder, and object code made flat.

#include "targets/cpu/jit/llvm/ir.hpp"

#include "targets/cpu/jit/llvm/flatten.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <llvm/ADT/SmallString.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Target/TargetOptions.h>
#pragma GCC diagnostic pop

#include <mutex>

extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
}

namespace migraphx::cpu::jit {
namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";
constexpr const char* entry_name = "nest";

// What add_kernel_library in cmake/Rooms.cmake compiles the levels with.
const char* features_of(isa level) {
    switch (level) {
    case isa::amx:
    case isa::avx512:
        return "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx2,+fma,+f16c,-slow-3ops-lea";
    case isa::avx2:
        return "+avx2,+fma,+f16c";
    case isa::baseline:
        break;
    }
    return "+sse4.2";
}

const llvm::Target& x86() {
    static const llvm::Target* target = [] {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86Target();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86AsmPrinter();
        std::string error;
        return llvm::TargetRegistry::lookupTarget(triple, error);
    }();
    return *target;
}

std::unique_ptr<llvm::TargetMachine> machine_for(isa level) {
    llvm::TargetOptions options;
    options.UnsafeFPMath = false;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
    return std::unique_ptr<llvm::TargetMachine>(x86().createTargetMachine(
        triple, "x86-64", features_of(level), options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
        llvm::CodeGenOptLevel::Default));
}

} // namespace

struct ir::state {
    isa level;
    llvm::LLVMContext context;
    llvm::Module module{"nest", context};
    llvm::IRBuilder<> b{context};
    llvm::Function* function = nullptr;
    llvm::BasicBlock* entry = nullptr;
    std::unique_ptr<llvm::TargetMachine> machine;

    explicit state(isa l) : level(l), machine(machine_for(l)) {
        module.setTargetTriple(triple);
        module.setDataLayout(machine->createDataLayout());
        auto* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
        function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, entry_name, module);
        function->addFnAttr("prefer-vector-width", "512");
        function->addFnAttr("min-legal-vector-width", level == isa::avx512 ? "512" : "256");
        function->addFnAttr("target-features", features_of(level));
        function->addFnAttr(llvm::Attribute::NoUnwind);
        entry = llvm::BasicBlock::Create(context, "entry", function);
        b.SetInsertPoint(entry);
    }

    llvm::Type* scalar(elem t) {
        switch (t) {
        case elem::i1:
            return b.getInt1Ty();
        case elem::i8:
            return b.getInt8Ty();
        case elem::i16:
            return b.getInt16Ty();
        case elem::i32:
            return b.getInt32Ty();
        case elem::i64:
            return b.getInt64Ty();
        case elem::f16:
            return b.getHalfTy();
        case elem::f32:
            return b.getFloatTy();
        case elem::f64:
            break;
        }
        return b.getDoubleTy();
    }
    llvm::Type* type(elem t, int lanes) {
        return lanes == 0 ? scalar(t) : llvm::FixedVectorType::get(scalar(t), unsigned(lanes));
    }
    static int lanes_of(value v) {
        auto* t = llvm::dyn_cast<llvm::FixedVectorType>(v->getType());
        return t == nullptr ? 0 : int(t->getNumElements());
    }
    value call(llvm::Intrinsic::ID id, llvm::ArrayRef<value> args) {
        return b.CreateCall(llvm::Intrinsic::getDeclaration(&module, id), args);
    }
};

ir::ir(isa level) : s(std::make_unique<state>(level)) {}
ir::~ir() = default;

int ir::lanes() const {
    return s->level == isa::avx512 ? 16 : s->level == isa::avx2 ? 8 : 4;
}
isa ir::level() const {
    return s->level;
}
value ir::argument() {
    return s->function->getArg(0);
}

value ir::number(elem type, double v, int lanes) {
    return llvm::ConstantFP::get(s->type(type, lanes), v);
}
value ir::integer(elem type, int64_t v, int lanes) {
    return llvm::ConstantInt::get(s->type(type, lanes), uint64_t(v), true);
}
value ir::lane_numbers(elem type, int lanes) {
    std::vector<llvm::Constant*> numbers;
    for (int i = 0; i < lanes; ++i)
        numbers.push_back(llvm::ConstantInt::get(s->scalar(type), uint64_t(i)));
    return llvm::ConstantVector::get(numbers);
}
value ir::splat(value scalar, int lanes) {
    return s->b.CreateVectorSplat(unsigned(lanes), scalar);
}

value ir::apply(binary op, value a, value b) {
    switch (op) {
    case binary::fadd:
        return s->b.CreateFAdd(a, b);
    case binary::fsub:
        return s->b.CreateFSub(a, b);
    case binary::fmul:
        return s->b.CreateFMul(a, b);
    case binary::fdiv:
        return s->b.CreateFDiv(a, b);
    case binary::add:
        return s->b.CreateAdd(a, b);
    case binary::sub:
        return s->b.CreateSub(a, b);
    case binary::mul:
        return s->b.CreateMul(a, b);
    case binary::sdiv:
        return s->b.CreateSDiv(a, b);
    case binary::bit_and:
        return s->b.CreateAnd(a, b);
    case binary::bit_or:
        return s->b.CreateOr(a, b);
    case binary::bit_xor:
        return s->b.CreateXor(a, b);
    case binary::shl:
        return s->b.CreateShl(a, b);
    case binary::lshr:
        return s->b.CreateLShr(a, b);
    case binary::ashr:
        break;
    }
    return s->b.CreateAShr(a, b);
}

value ir::apply(compare op, value a, value b) {
    switch (op) {
    case compare::feq:
        return s->b.CreateFCmpOEQ(a, b);
    case compare::fne:
        return s->b.CreateFCmpUNE(a, b);
    case compare::fgt:
        return s->b.CreateFCmpOGT(a, b);
    case compare::flt:
        return s->b.CreateFCmpOLT(a, b);
    case compare::fge:
        return s->b.CreateFCmpOGE(a, b);
    case compare::fle:
        return s->b.CreateFCmpOLE(a, b);
    case compare::eq:
        return s->b.CreateICmpEQ(a, b);
    case compare::ne:
        return s->b.CreateICmpNE(a, b);
    case compare::sgt:
        return s->b.CreateICmpSGT(a, b);
    case compare::slt:
        return s->b.CreateICmpSLT(a, b);
    case compare::ult:
        break;
    }
    return s->b.CreateICmpULT(a, b);
}

value ir::apply(unary op, value a) {
    switch (op) {
    case unary::neg:
        return a->getType()->isFPOrFPVectorTy() ? s->b.CreateFNeg(a) : s->b.CreateNeg(a);
    case unary::sqrt:
        return s->b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a);
    case unary::nearest:
        return s->b.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, a);
    case unary::floor:
        return s->b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, a);
    case unary::ceil:
        break;
    }
    return s->b.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, a);
}

value ir::fma(value a, value b, value c) {
    if (s->level == isa::baseline)
        return s->b.CreateFAdd(s->b.CreateFMul(a, b), c);
    return s->b.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
}

value ir::select(value mask, value a, value b) {
    return s->b.CreateSelect(mask, a, b);
}

value ir::convert(change how, value a, elem to) {
    auto* type = s->type(to, state::lanes_of(a));
    switch (how) {
    case change::bits:
        return s->b.CreateBitCast(a, type);
    case change::zext:
        return s->b.CreateZExt(a, type);
    case change::sext:
        return s->b.CreateSExt(a, type);
    case change::trunc:
        return s->b.CreateTrunc(a, type);
    case change::sitofp:
        return s->b.CreateSIToFP(a, type);
    case change::uitofp:
        return s->b.CreateUIToFP(a, type);
    case change::fptosi:
        return s->b.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {type, a->getType()}, {a});
    case change::fptosi_fits:
        return s->b.CreateFPToSI(a, type);
    case change::fpext:
        return s->b.CreateFPExt(a, type);
    case change::fptrunc:
        break;
    }
    return s->b.CreateFPTrunc(a, type);
}

// The instructions, not a comparison and a choice: those may swap sides where neither is NaN.
value ir::raw_max(value x, value y) {
    if (x->getType() != s->type(elem::f32, lanes()))
        return s->b.CreateSelect(s->b.CreateFCmpOGT(x, y), x, y);
    switch (s->level) {
    case isa::amx:
    case isa::avx512:
        return s->call(llvm::Intrinsic::x86_avx512_max_ps_512, {x, y, s->b.getInt32(4)});
    case isa::avx2:
        return s->call(llvm::Intrinsic::x86_avx_max_ps_256, {x, y});
    case isa::baseline:
        break;
    }
    return s->call(llvm::Intrinsic::x86_sse_max_ps, {x, y});
}

value ir::raw_min(value x, value y) {
    if (x->getType() != s->type(elem::f32, lanes()))
        return s->b.CreateSelect(s->b.CreateFCmpOLT(x, y), x, y);
    switch (s->level) {
    case isa::amx:
    case isa::avx512:
        return s->call(llvm::Intrinsic::x86_avx512_min_ps_512, {x, y, s->b.getInt32(4)});
    case isa::avx2:
        return s->call(llvm::Intrinsic::x86_avx_min_ps_256, {x, y});
    case isa::baseline:
        break;
    }
    return s->call(llvm::Intrinsic::x86_sse_min_ps, {x, y});
}

value ir::scale_by_power(value x, value n) {
    return s->call(llvm::Intrinsic::x86_avx512_mask_scalef_ps_512,
                   {x, n, llvm::ConstantFP::get(x->getType(), 0), s->b.getInt16(-1),
                    s->b.getInt32(4)});
}

value ir::to_int(value x) {
    switch (s->level) {
    case isa::amx:
    case isa::avx512:
        return s->call(llvm::Intrinsic::x86_avx512_mask_cvtps2dq_512,
                       {x, integer(elem::i32, 0, lanes()), s->b.getInt16(-1), s->b.getInt32(4)});
    case isa::avx2:
        return s->call(llvm::Intrinsic::x86_avx_cvt_ps2dq_256, {x});
    case isa::baseline:
        break;
    }
    return s->call(llvm::Intrinsic::x86_sse2_cvtps2dq, {x});
}

value ir::any(value mask) {
    return s->b.CreateOrReduce(mask);
}

value ir::half_of(value v, bool high) {
    const int n = state::lanes_of(v) / 2;
    std::vector<int> picked;
    for (int i = 0; i < n; ++i)
        picked.push_back(high ? n + i : i);
    return s->b.CreateShuffleVector(v, picked);
}

value ir::join(value low, value high) {
    std::vector<int> picked;
    for (int i = 0; i < 2 * state::lanes_of(low); ++i)
        picked.push_back(i);
    return s->b.CreateShuffleVector(low, high, picked);
}

value ir::extract(value v, int lane) {
    return s->b.CreateExtractElement(v, uint64_t(lane));
}
value ir::insert(value v, value scalar, int lane) {
    return s->b.CreateInsertElement(v, scalar, uint64_t(lane));
}

value ir::advance(value pointer, value bytes) {
    return s->b.CreateGEP(s->b.getInt8Ty(), pointer, bytes);
}

value ir::load(elem type, int lanes, value pointer, value mask) {
    auto* t = s->type(type, lanes);
    if (mask == nullptr)
        return s->b.CreateAlignedLoad(t, pointer, llvm::Align(1));
    return s->b.CreateMaskedLoad(t, pointer, llvm::Align(1), mask, llvm::Constant::getNullValue(t));
}

void ir::store(value v, value pointer, value mask) {
    if (mask == nullptr)
        s->b.CreateAlignedStore(v, pointer, llvm::Align(1));
    else
        s->b.CreateMaskedStore(v, pointer, llvm::Align(1), mask);
}

value ir::load_pointer(value pointer, int64_t offset) {
    return s->b.CreateLoad(s->b.getPtrTy(), advance(pointer, s->b.getInt64(uint64_t(offset))));
}
value ir::load_scalar(elem type, value pointer, int64_t offset) {
    return s->b.CreateAlignedLoad(s->scalar(type), advance(pointer, s->b.getInt64(uint64_t(offset))),
                                  llvm::Align(1));
}

value ir::gather(elem type, value pointer, value byte_offsets, value mask) {
    const int n = state::lanes_of(byte_offsets);
    auto* t = s->type(type, n);
    return s->b.CreateMaskedGather(t, advance(pointer, byte_offsets), llvm::Align(1), mask,
                                   llvm::Constant::getNullValue(t));
}

void ir::scatter(value v, value pointer, value byte_offsets, value mask) {
    if (mask == nullptr)
        mask = llvm::ConstantInt::getTrue(s->type(elem::i1, state::lanes_of(v)));
    s->b.CreateMaskedScatter(v, advance(pointer, byte_offsets), llvm::Align(1), mask);
}

value ir::stack(int64_t bytes) {
    llvm::IRBuilder<>::InsertPointGuard guard(s->b);
    s->b.SetInsertPoint(s->entry, s->entry->begin());
    auto* slot =
        s->b.CreateAlloca(llvm::ArrayType::get(s->b.getInt8Ty(), uint64_t(bytes)));
    slot->setAlignment(llvm::Align(64));
    return slot;
}

void ir::call(value function, value argument) {
    auto* type = llvm::FunctionType::get(s->b.getVoidTy(), {s->b.getPtrTy()}, false);
    s->b.CreateCall(type, function, {argument});
}

void ir::call_move(value function, value to, value from, value rows, value row_stride, value cols,
                   value col_stride) {
    auto* pointer = s->b.getPtrTy();
    auto* number = s->b.getInt64Ty();
    auto* type = llvm::FunctionType::get(s->b.getVoidTy(),
                                         {pointer, pointer, number, number, number, number}, false);
    s->b.CreateCall(type, function, {to, from, rows, row_stride, cols, col_stride});
}

block ir::add_block(const char* name) {
    return llvm::BasicBlock::Create(s->context, name, s->function);
}
block ir::current() const {
    return s->b.GetInsertBlock();
}
void ir::enter(block b) {
    s->b.SetInsertPoint(b);
}
void ir::jump(block to) {
    s->b.CreateBr(to);
}
void ir::branch(value condition, block yes, block no) {
    s->b.CreateCondBr(condition, yes, no);
}
value ir::join_point(elem type, bool pointer, int lanes) {
    return s->b.CreatePHI(pointer ? s->b.getPtrTy() : s->type(type, lanes), 2);
}
void ir::flow_in(value phi, value v, block from) {
    llvm::cast<llvm::PHINode>(phi)->addIncoming(v, from);
}
void ir::finish() {
    s->b.CreateRetVoid();
}

std::string ir::text() const {
    std::string out;
    llvm::raw_string_ostream stream(out);
    s->module.print(stream, nullptr);
    return out;
}

std::vector<char> ir::compile(std::size_t& entry, std::string& why) {
    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream(object);
    llvm::legacy::PassManager passes;
    if (s->machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                        true)) {
        why = "no object code for this target";
        return {};
    }
    passes.run(s->module);
    return flatten_object(object.data(), object.size(), entry_name, entry, why);
}

} // namespace migraphx::cpu::jit
