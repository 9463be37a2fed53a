// Compiled by a compiler that is a WebAssembly module: loops to vectorize, switches, floating point, recursion.
typedef unsigned int u32;
typedef unsigned long long u64;

struct node {
  struct node *left, *right;
  u64 key;
  float weight;
};

static u32 table[256];

void make_table(void) {
  for (u32 i = 0; i < 256; ++i) {
    u32 c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
}

u32 crc(const unsigned char* bytes, u32 size) {
  u32 c = ~0u;
  for (u32 i = 0; i < size; ++i) c = table[(c ^ bytes[i]) & 255] ^ (c >> 8);
  return ~c;
}

void axpy(float* restrict y, const float* restrict x, float a, int n) {
  for (int i = 0; i < n; ++i) y[i] += a * x[i];
}

int longest(const struct node* n) {
  if (!n) return 0;
  const int left = longest(n->left), right = longest(n->right);
  return (left > right ? left : right) + 1;
}

double sum(const struct node* n, u64 from, u64 to) {
  double s = 0;
  while (n) {
    if (n->key >= from && n->key < to) s += n->weight / (double)(n->key % 97 + 1);
    n = n->key < from ? n->right : n->left;
  }
  return s;
}

int evaluate(const char* code) {
  int stack[16], top = 0;
  for (;; ++code) {
    switch (*code) {
      case '+': --top; stack[top - 1] += stack[top]; break;
      case '-': --top; stack[top - 1] -= stack[top]; break;
      case '*': --top; stack[top - 1] *= stack[top]; break;
      case '/': --top; stack[top - 1] /= stack[top]; break;
      case '<': --top; stack[top - 1] = stack[top - 1] < stack[top]; break;
      case '!': stack[top - 1] = !stack[top - 1]; break;
      case 'd': stack[top] = stack[top - 1]; ++top; break;
      case 0: return stack[top - 1];
      default: stack[top++] = *code - '0';
    }
  }
}
