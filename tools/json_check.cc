// Exits with 0 if standard input is one JSON value: for tests of --json.
#include <iostream>
#include <iterator>
#include <string>

#include "nlohmann/json.hpp"

int main() {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  return nlohmann::json::accept(text) ? 0 : 1;
}
