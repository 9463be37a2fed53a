// C++ without exceptions: virtual calls, templates, lambdas, static constructors and operator new.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void* operator new(size_t n) { return malloc(n); }
void* operator new[](size_t n) { return malloc(n); }
void operator delete(void* p) { free(p); }
void operator delete(void* p, size_t) { free(p); }
void operator delete[](void* p) { free(p); }
void operator delete[](void* p, size_t) { free(p); }
extern "C" void __cxa_pure_virtual() { abort(); }

namespace {

int constructed = 0;
struct Early {
  explicit Early(int v) : value(v) { constructed = constructed * 10 + v; }
  int value;
};
Early first(1), second(2), third(3);

struct Visitor;
struct Node {
  virtual ~Node() { constructed--; }
  virtual int Eval() const = 0;
  virtual int Depth() const { return 1; }
};
struct Number : Node {
  explicit Number(int v) : v(v) {}
  int Eval() const override { return v; }
  int v;
};
struct Named {
  virtual const char* Name() const { return "?"; }
  virtual ~Named() {}
};
template <char Op>
struct Binary : Node, Named {  // the second base makes thunks
  Binary(Node* a, Node* b) : a(a), b(b) {}
  ~Binary() override {
    delete a;
    delete b;
  }
  int Eval() const override {
    if constexpr (Op == '+') return a->Eval() + b->Eval();
    if constexpr (Op == '-') return a->Eval() - b->Eval();
    if constexpr (Op == '*') return a->Eval() * b->Eval();
  }
  int Depth() const override {
    int x = a->Depth(), y = b->Depth();
    return 1 + (x > y ? x : y);
  }
  const char* Name() const override { return Op == '+' ? "plus" : Op == '-' ? "minus" : "times"; }
  Node *a, *b;
};

uint32_t seed = 7;
Node* Random(int depth) {
  seed = seed * 1664525 + 1013904223;
  uint32_t r = seed >> 24;
  if (depth == 0 || r < 20) return new Number((int)(r % 9) - 3);
  Node* a = Random(depth - 1);
  Node* b = Random(depth - 1);
  if (r % 3 == 0) return new Binary<'+'>(a, b);
  if (r % 3 == 1) return new Binary<'-'>(a, b);
  return new Binary<'*'>(a, b);
}

template <typename T>
class Vector {
 public:
  ~Vector() { delete[] data_; }
  void Push(T v) {
    if (size_ == capacity_) {
      capacity_ = capacity_ ? capacity_ * 2 : 4;
      T* bigger = new T[capacity_];
      for (size_t i = 0; i < size_; i++) bigger[i] = data_[i];
      delete[] data_;
      data_ = bigger;
    }
    data_[size_++] = v;
  }
  template <typename F>
  uint64_t Fold(uint64_t start, F f) const {
    for (size_t i = 0; i < size_; i++) start = f(start, data_[i]);
    return start;
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace

int main() {
  printf("constructed %d, %d\n", constructed, first.value + second.value + third.value);
  constructed = 0;
  Node* tree = Random(9);
  printf("tree %d, depth %d\n", tree->Eval(), tree->Depth());
  Binary<'+'> sum(new Number(4), new Number(5));
  Named* named = &sum;
  printf("%s %d\n", named->Name(), sum.Eval());
  delete tree;
  printf("destroyed %d\n", -constructed);
  Vector<uint64_t> v;
  for (uint64_t i = 0; i < 1000; i++) v.Push(i * i);
  uint64_t total = v.Fold(0, [](uint64_t a, uint64_t b) { return a * 3 + b; });
  printf("fold %08lx%08lx\n", (unsigned long)(total >> 32), (unsigned long)total);
  Vector<double> d;
  for (int i = 1; i < 50; i++) d.Push(1.0 / i);
  double harmonic = 0;
  d.Fold(0, [&](uint64_t, double x) { return harmonic += x, 0; });
  printf("harmonic %.12g\n", harmonic);
  return 0;
}
