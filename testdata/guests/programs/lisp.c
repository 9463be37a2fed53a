/* A small Lisp: reader, evaluator with lexical closures, garbage collector. Evaluates standard
 * input and prints the value of every expression. */
#include <ctype.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tag { PAIR, INT, SYMBOL, BUILTIN, CLOSURE };
typedef struct cell {
  uint8_t tag, mark, macro;
  union {
    struct {
      struct cell *car, *cdr;
    };
    struct {
      struct cell *params, *body, *env; /* CLOSURE */
    };
    int32_t number;
    const char *name;
    struct cell *(*builtin)(struct cell *);
  };
} cell;

#define HEAP 20000
static cell heap[HEAP];
static cell *free_list;
/* Whatever must survive a collection while C holds it. */
static cell *roots[20000];
static int root_count, depth;
static unsigned collections, allocated;
static cell *symbols, *globals;
static cell *s_quote, *s_if, *s_define, *s_lambda, *s_let, *s_begin, *s_t, *s_while, *s_set, *s_cond;
static jmp_buf on_error;

static void error(const char *what, const char *detail) {
  printf("error: %s%s\n", what, detail);
  longjmp(on_error, 1);
}

static void mark(cell *c) {
  while (c && !c->mark) {
    c->mark = 1;
    if (c->tag == PAIR) {
      mark(c->car);
      c = c->cdr;
    } else if (c->tag == CLOSURE) {
      mark(c->params);
      mark(c->body);
      c = c->env;
    }
  }
}

static void collect(void) {
  collections++;
  mark(symbols);
  mark(globals);
  for (int i = 0; i < root_count; i++) mark(roots[i]);
  free_list = NULL;
  for (int i = HEAP - 1; i >= 0; i--) {
    if (heap[i].mark) {
      heap[i].mark = 0;
    } else {
      heap[i].cdr = free_list;
      heap[i].tag = PAIR;
      free_list = &heap[i];
    }
  }
}

static cell *push(cell *c) {
  if (root_count == 20000) error("too deep", "");
  return roots[root_count++] = c;
}

static cell *allocate(enum tag tag) {
  if (!free_list) collect();
  if (!free_list) error("heap is full", "");
  cell *c = free_list;
  free_list = c->cdr;
  memset(c, 0, sizeof *c);
  c->tag = (uint8_t)tag;
  allocated++;
  return c;
}

static cell *cons(cell *a, cell *b) {
  push(a);
  push(b);
  cell *c = allocate(PAIR);
  root_count -= 2;
  c->car = a;
  c->cdr = b;
  return c;
}
static cell *integer(int32_t n) {
  cell *c = allocate(INT);
  c->number = n;
  return c;
}
static cell *symbol(const char *name) {
  for (cell *p = symbols; p; p = p->cdr)
    if (!strcmp(p->car->name, name)) return p->car;
  cell *c = allocate(SYMBOL);
  c->name = strdup(name);
  symbols = cons(c, symbols);
  return c;
}
static cell *car(cell *c) { return c && c->tag == PAIR ? c->car : (c ? error("not a list", ""), c : c); }
static cell *cdr(cell *c) { return c && c->tag == PAIR ? c->cdr : (c ? error("not a list", ""), c : c); }
static int32_t number(cell *c) {
  if (!c || c->tag != INT) error("not a number", "");
  return c->number;
}

/* --- reader --- */
static int ahead = -2;
static int peek(void) {
  if (ahead == -2) ahead = getchar();
  return ahead;
}
static int next(void) {
  int c = peek();
  ahead = -2;
  return c;
}
static void blanks(void) {
  while (isspace(peek()) || peek() == ';')
    if (next() == ';')
      while (peek() != '\n' && peek() != EOF) next();
}
static cell *read_value(void) {
  blanks();
  int c = next();
  if (c == EOF) error("unexpected end", "");
  if (c == '\'') {
    cell *v = push(read_value());
    v = cons(s_quote, cons(v, NULL));
    root_count--;
    return v;
  }
  if (c == '(') {
    cell *head = NULL, *last = NULL;
    int base = root_count;
    for (blanks(); peek() != ')'; blanks()) {
      cell *v = cons(read_value(), NULL);
      if (last) last->cdr = v;
      else push(head = v);
      last = v;
    }
    next();
    root_count = base;
    return head;
  }
  if (c == ')') error("unexpected )", "");
  char name[64];
  int n = 0;
  for (;;) {
    if (n < 63) name[n++] = (char)c;
    c = peek();
    if (c == EOF || isspace(c) || c == '(' || c == ')') break;
    next();
  }
  name[n] = 0;
  if (isdigit((unsigned char)name[0]) || (name[0] == '-' && isdigit((unsigned char)name[1])))
    return integer((int32_t)strtol(name, NULL, 10));
  return strcmp(name, "nil") ? symbol(name) : NULL;
}

static void print(cell *c) {
  if (!c) {
    printf("nil");
    return;
  }
  switch (c->tag) {
    case INT: printf("%ld", (long)c->number); break;
    case SYMBOL: printf("%s", c->name); break;
    case BUILTIN: printf("<builtin>"); break;
    case CLOSURE: printf("<closure>"); break;
    case PAIR:
      putchar('(');
      for (; c && c->tag == PAIR; c = c->cdr) {
        print(c->car);
        if (c->cdr) putchar(' ');
      }
      if (c) {
        printf(". ");
        print(c);
      }
      putchar(')');
  }
}

/* --- evaluator: env is a list of (symbol . value) --- */
static cell *lookup(cell *name, cell *env) {
  for (; env; env = env->cdr)
    if (env->car->car == name) return env->car;
  for (env = globals; env; env = env->cdr)
    if (env->car->car == name) return env->car;
  error("unbound: ", name->name);
  return NULL;
}

static cell *eval(cell *x, cell *env) {
  int base = root_count;
  if (++depth > 3000) {
    error("too deep", "");
  }
  cell *v = NULL;
  for (;;) { /* tail calls come back here */
    root_count = base;
    push(x);
    push(env);
    if (!x || x->tag == INT || x->tag == BUILTIN || x->tag == CLOSURE) {
      v = x;
      break;
    }
    if (x->tag == SYMBOL) {
      v = x == s_t ? x : lookup(x, env)->cdr;
      break;
    }
    cell *head = x->car, *rest = x->cdr;
    if (head == s_quote) {
      v = car(rest);
      break;
    }
    if (head == s_if) {
      v = eval(car(rest), env);
      x = v ? car(cdr(rest)) : car(cdr(cdr(rest)) ? cdr(cdr(rest)) : NULL);
      continue;
    }
    if (head == s_cond) {
      cell *p = rest;
      while (p && !eval(car(car(p)), env)) p = cdr(p);
      x = p ? car(cdr(car(p))) : NULL;
      continue;
    }
    if (head == s_begin) {
      for (; rest && rest->cdr; rest = rest->cdr) eval(rest->car, env);
      x = car(rest);
      continue;
    }
    if (head == s_while) {
      while (eval(car(rest), env))
        for (cell *p = cdr(rest); p; p = p->cdr) eval(p->car, env);
      break;
    }
    if (head == s_define) {
      cell *name = car(rest);
      cell *value = push(NULL);
      if (name && name->tag == PAIR) { /* (define (f x) body...) */
        value = allocate(CLOSURE);
        value->params = name->cdr;
        value->body = cdr(rest);
        value->env = env;
        name = name->car;
      } else {
        value = eval(car(cdr(rest)), env);
      }
      push(value);
      globals = cons(cons(name, value), globals);
      v = name;
      break;
    }
    if (head == s_set) {
      v = eval(car(cdr(rest)), env);
      lookup(car(rest), env)->cdr = v;
      break;
    }
    if (head == s_lambda) {
      v = allocate(CLOSURE);
      v->params = car(rest);
      v->body = cdr(rest);
      v->env = env;
      break;
    }
    if (head == s_let) {
      cell *inner = env;
      for (cell *p = car(rest); p; p = p->cdr) {
        push(inner);
        inner = cons(cons(car(p->car), eval(car(cdr(p->car)), inner)), inner);
      }
      push(inner);
      x = cons(s_begin, cdr(rest));
      env = inner;
      continue;
    }
    cell *f = push(eval(head, env));
    cell *args = NULL, *last = NULL;
    for (cell *p = rest; p; p = p->cdr) {
      cell *a = cons(eval(p->car, env), NULL);
      if (last) last->cdr = a;
      else push(args = a);
      last = a;
    }
    if (!f) error("nil is no function", "");
    if (f->tag == BUILTIN) {
      v = f->builtin(args);
      break;
    }
    if (f->tag != CLOSURE) error("not a function", "");
    cell *inner = f->env;
    for (cell *p = f->params; p; p = p->cdr) {
      if (!args) error("too few arguments", "");
      push(inner);
      inner = cons(cons(p->car, args->car), inner);
      args = args->cdr;
    }
    if (args) error("too many arguments", "");
    push(inner);
    env = inner;
    x = f->body->cdr ? cons(s_begin, f->body) : f->body->car;
  }
  root_count = base;
  depth--;
  return v;
}

static cell *truth(int b) { return b ? s_t : NULL; }
static cell *b_add(cell *a) {
  uint32_t s = 0;
  for (; a; a = a->cdr) s += (uint32_t)number(a->car);
  return integer((int32_t)s);
}
static cell *b_mul(cell *a) {
  uint32_t s = 1;
  for (; a; a = a->cdr) s *= (uint32_t)number(a->car);
  return integer((int32_t)s);
}
static cell *b_sub(cell *a) {
  uint32_t s = (uint32_t)number(car(a));
  if (!cdr(a)) return integer((int32_t)-s);
  for (a = cdr(a); a; a = a->cdr) s -= (uint32_t)number(a->car);
  return integer((int32_t)s);
}
static cell *b_div(cell *a) {
  int32_t d = number(car(cdr(a)));
  if (d == 0) error("division by zero", "");
  return integer(d == -1 ? (int32_t)-(uint32_t)number(car(a)) : number(car(a)) / d);
}
static cell *b_mod(cell *a) {
  int32_t d = number(car(cdr(a)));
  if (d == 0) error("division by zero", "");
  return integer(d == -1 ? 0 : number(car(a)) % d);
}
static cell *b_less(cell *a) { return truth(number(car(a)) < number(car(cdr(a)))); }
static cell *b_equal(cell *a) {
  cell *x = car(a), *y = car(cdr(a));
  return truth(x == y || (x && y && x->tag == INT && y->tag == INT && x->number == y->number));
}
static cell *b_cons(cell *a) { return cons(car(a), car(cdr(a))); }
static cell *b_car(cell *a) { return car(car(a)); }
static cell *b_cdr(cell *a) { return cdr(car(a)); }
static cell *b_null(cell *a) { return truth(!car(a)); }
static cell *b_pair(cell *a) { return truth(car(a) && car(a)->tag == PAIR); }
static cell *b_list(cell *a) { return a; }
static cell *b_print(cell *a) {
  for (cell *p = a; p; p = p->cdr) {
    print(p->car);
    putchar(p->cdr ? ' ' : '\n');
  }
  return car(a);
}
static cell *b_gc(cell *a) {
  (void)a;
  collect();
  return NULL;
}

int main(void) {
  for (int i = HEAP - 1; i >= 0; i--) {
    heap[i].cdr = free_list;
    free_list = &heap[i];
  }
  s_quote = symbol("quote");
  s_if = symbol("if");
  s_define = symbol("define");
  s_lambda = symbol("lambda");
  s_let = symbol("let");
  s_begin = symbol("begin");
  s_t = symbol("t");
  s_while = symbol("while");
  s_set = symbol("set!");
  s_cond = symbol("cond");
  static const struct {
    const char *name;
    cell *(*f)(cell *);
  } kBuiltins[] = {{"+", b_add}, {"-", b_sub}, {"*", b_mul}, {"/", b_div}, {"mod", b_mod}, {"<", b_less},
                   {"=", b_equal}, {"cons", b_cons}, {"car", b_car}, {"cdr", b_cdr}, {"null?", b_null},
                   {"pair?", b_pair}, {"list", b_list}, {"print", b_print}, {"gc", b_gc}};
  for (unsigned i = 0; i < sizeof kBuiltins / sizeof *kBuiltins; i++) {
    cell *b = push(allocate(BUILTIN));
    b->builtin = kBuiltins[i].f;
    globals = cons(cons(symbol(kBuiltins[i].name), b), globals);
    root_count--;
  }
  volatile int errors = 0;
  for (;;) {
    root_count = 0;
    depth = 0;
    blanks();
    if (peek() == EOF) break;
    if (setjmp(on_error)) {
      errors++;
      continue;
    }
    cell *x = push(read_value());
    cell *v = eval(x, NULL);
    print(v);
    putchar('\n');
  }
  printf("%d errors, %u cells allocated, collected %s\n", errors, allocated,
         collections > 2 ? "often" : collections ? "seldom" : "never");
  return errors > 99 ? 99 : errors;
}
