/* A JSON parser and printer. Reads standard input, prints it in a canonical form (keys sorted) and
 * some figures; with an argument a.b.2.c prints only what that path names.
 *
 *   json [PATH]     exit code 0, or 1 with the position of a syntax error */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUL, FALSE, TRUE, NUMBER, STRING, ARRAY, OBJECT };

struct value {
  enum kind kind;
  int count;
  double number;
  char *text;            /* STRING */
  struct value **items;  /* ARRAY, OBJECT */
  char **keys;           /* OBJECT */
};

static char *input;
static size_t length, at;
static jmp_buf on_error;
static const char *message;
static int max_depth, values;

static void fail(const char *what) {
  message = what;
  longjmp(on_error, 1);
}
static void *allocate(size_t n) {
  void *p = calloc(1, n);
  if (!p) fail("out of memory");
  return p;
}
static int peek(void) { return at < length ? (unsigned char)input[at] : -1; }
static void blanks(void) {
  while (at < length && strchr(" \t\r\n", input[at])) at++;
}
static void expect(char c) {
  if (peek() != c) fail("unexpected character");
  at++;
}

static unsigned hex4(void) {
  unsigned v = 0;
  for (int i = 0; i < 4; i++, at++) {
    int c = peek();
    if (c >= '0' && c <= '9') v = v * 16 + (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f') v = v * 16 + (unsigned)(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') v = v * 16 + (unsigned)(c - 'A' + 10);
    else fail("bad \\u escape");
  }
  return v;
}

static char *put_utf8(char *o, unsigned c) {
  if (c < 0x80) {
    *o++ = (char)c;
  } else if (c < 0x800) {
    *o++ = (char)(0xc0 | c >> 6);
    *o++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *o++ = (char)(0xe0 | c >> 12);
    *o++ = (char)(0x80 | (c >> 6 & 63));
    *o++ = (char)(0x80 | (c & 63));
  } else {
    *o++ = (char)(0xf0 | c >> 18);
    *o++ = (char)(0x80 | (c >> 12 & 63));
    *o++ = (char)(0x80 | (c >> 6 & 63));
    *o++ = (char)(0x80 | (c & 63));
  }
  return o;
}

static char *string(void) {
  expect('"');
  size_t end = at;
  while (end < length && input[end] != '"') end += input[end] == '\\' ? 2 : 1;
  char *s = allocate(end - at + 1), *o = s;
  for (;;) {
    int c = peek();
    if (c < 0) fail("unterminated string");
    at++;
    if (c == '"') break;
    if (c < 0x20) fail("control character in a string");
    if (c != '\\') {
      *o++ = (char)c;
      continue;
    }
    c = peek();
    at++;
    switch (c) {
      case '"':
      case '\\':
      case '/': *o++ = (char)c; break;
      case 'b': *o++ = '\b'; break;
      case 'f': *o++ = '\f'; break;
      case 'n': *o++ = '\n'; break;
      case 'r': *o++ = '\r'; break;
      case 't': *o++ = '\t'; break;
      case 'u': {
        unsigned u = hex4();
        if (u >= 0xd800 && u < 0xdc00) {
          expect('\\');
          expect('u');
          unsigned low = hex4();
          if (low < 0xdc00 || low > 0xdfff) fail("lone surrogate");
          u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
        }
        o = put_utf8(o, u);
        break;
      }
      default: fail("unknown escape");
    }
  }
  return s;
}

static double number(void) {
  size_t start = at;
  if (peek() == '-') at++;
  if (peek() == '0') at++;
  else if (peek() >= '1' && peek() <= '9') while (peek() >= '0' && peek() <= '9') at++;
  else fail("bad number");
  if (peek() == '.') {
    at++;
    if (peek() < '0' || peek() > '9') fail("bad fraction");
    while (peek() >= '0' && peek() <= '9') at++;
  }
  if (peek() == 'e' || peek() == 'E') {
    at++;
    if (peek() == '+' || peek() == '-') at++;
    if (peek() < '0' || peek() > '9') fail("bad exponent");
    while (peek() >= '0' && peek() <= '9') at++;
  }
  (void)start;
  return strtod(input + start, NULL);
}

static void word(const char *w) {
  size_t n = strlen(w);
  if (length - at < n || memcmp(input + at, w, n)) fail("unknown word");
  at += n;
}

static void append(struct value *v, char *key, struct value *item) {
  if ((v->count & (v->count - 1)) == 0) {
    size_t room = v->count ? (size_t)v->count * 2 : 1;
    v->items = realloc(v->items, room * sizeof *v->items);
    v->keys = realloc(v->keys, room * sizeof *v->keys);
    if (!v->items || !v->keys) fail("out of memory");
  }
  v->keys[v->count] = key;
  v->items[v->count++] = item;
}

static struct value *parse(int depth) {
  if (depth > 200) fail("too deep");
  if (depth > max_depth) max_depth = depth;
  struct value *v = allocate(sizeof *v);
  values++;
  blanks();
  switch (peek()) {
    case 'n': word("null"); break;
    case 't': word("true"); v->kind = TRUE; break;
    case 'f': word("false"); v->kind = FALSE; break;
    case '"':
      v->kind = STRING;
      v->text = string();
      break;
    case '[':
    case '{': {
      char close = input[at++] == '[' ? ']' : '}';
      v->kind = close == ']' ? ARRAY : OBJECT;
      blanks();
      if (peek() == close) {
        at++;
        break;
      }
      for (;;) {
        char *key = NULL;
        if (v->kind == OBJECT) {
          blanks();
          key = string();
          blanks();
          expect(':');
        }
        append(v, key, parse(depth + 1));
        blanks();
        if (peek() == ',') {
          at++;
          continue;
        }
        expect(close);
        break;
      }
      break;
    }
    default:
      v->kind = NUMBER;
      v->number = number();
  }
  return v;
}

static void print_string(const char *s) {
  putchar('"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c == '\n') printf("\\n");
    else if (c < 0x20) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static struct value *sorting;
static int by_key(const void *a, const void *b) {
  return strcmp(sorting->keys[*(const int *)a], sorting->keys[*(const int *)b]);
}

static void print(struct value *v, int indent) {
  switch (v->kind) {
    case NUL: printf("null"); return;
    case FALSE: printf("false"); return;
    case TRUE: printf("true"); return;
    case NUMBER: printf("%.15g", v->number); return;
    case STRING: print_string(v->text); return;
    case ARRAY:
    case OBJECT: break;
  }
  if (v->count == 0) {
    printf(v->kind == ARRAY ? "[]" : "{}");
    return;
  }
  int *order = allocate((size_t)v->count * sizeof *order);
  for (int i = 0; i < v->count; i++) order[i] = i;
  if (v->kind == OBJECT) {
    sorting = v;
    qsort(order, (size_t)v->count, sizeof *order, by_key);
  }
  printf(v->kind == ARRAY ? "[" : "{");
  for (int i = 0; i < v->count; i++) {
    printf("%s\n%*s", i ? "," : "", indent + 2, "");
    if (v->kind == OBJECT) {
      print_string(v->keys[order[i]]);
      printf(": ");
    }
    print(v->items[order[i]], indent + 2);
  }
  printf("\n%*s%c", indent, "", v->kind == ARRAY ? ']' : '}');
  free(order);
}

static struct value *find(struct value *v, char *path) {
  for (char *part = strtok(path, "."); part && v; part = strtok(NULL, ".")) {
    struct value *next = NULL;
    for (int i = 0; i < v->count; i++)
      if (v->kind == ARRAY ? i == atoi(part) : !strcmp(v->keys[i], part)) next = v->items[i];
    v = next;
  }
  return v;
}

int main(int argc, char **argv) {
  size_t room = 0;
  int c;
  while ((c = getchar()) != EOF) {
    if (length + 1 >= room) input = realloc(input, room = room ? room * 2 : 256);
    input[length++] = (char)c;
  }
  if (setjmp(on_error)) {
    printf("error at byte %u: %s\n", (unsigned)at, message);
    return 1;
  }
  if (input) input[length] = 0;
  struct value *v = parse(1);
  blanks();
  if (at != length) fail("something follows");
  if (argc > 1) v = find(v, argv[1]);
  if (!v) return printf("no such path\n"), 2;
  print(v, 0);
  printf("\n%d values, depth %d, %u bytes\n", values, max_depth, (unsigned)length);
  return 0;
}
