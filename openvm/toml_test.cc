#include "openvm/toml.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::openvm {
namespace {

constexpr char kExample[] = R"(# a guest's machine
[app_vm_config.rv32i]
[app_vm_config.io]
[app_vm_config.keccak]

[app_vm_config.system.config]
num_public_values = 64

[app_vm_config.modular]
supported_moduli = [
    # a comment
    "65521", # and one here
    "0x1fffffffffffffff",
]
[app_vm_config.fp2]
supported_moduli = [["F", "65519"]]
[app_vm_config.pairing]
supported_curves = ["Bls12_381"]
[[app_vm_config.ecc.supported_curves]]
struct_name = "C"
modulus = "65521"
scalar = "7"
a = "0"
b = "5"
[app_fri_params.fri_params]
log_blowup = 1
)";

TEST(Toml, Example) {
  const absl::StatusOr<Config> config = FromToml(kExample);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->extensions,
            (std::vector<std::string>{"ecc", "fp2", "keccak", "modular", "pairing", "rv32io"}));
  EXPECT_EQ(config->public_values, 64u);
  EXPECT_EQ(config->moduli.size(), 2u);
  EXPECT_EQ(config->fp2_moduli, (std::vector<Number>{*ParseNumber("65519")}));
  EXPECT_EQ(config->pairings, std::vector<PairingCurve>{PairingCurve::kBls12_381});
  ASSERT_EQ(config->curves.size(), 1u);
  EXPECT_EQ(config->curves[0].name, "C");
  EXPECT_EQ(config->curves[0].b, Number{5});
  EXPECT_EQ(*ReadConfig(ToText(*config)), *config);
}

TEST(Toml, DamageIsAStatus) {
  const std::string example = kExample;
  for (size_t i = 0; i < example.size(); ++i) {
    (void)FromToml(example.substr(0, i));
    for (char c : {'[', ']', '"', '=', ',', '\0'}) {
      std::string damaged = example;
      damaged[i] = c;
      (void)FromToml(damaged);
    }
  }
  EXPECT_THAT(std::string(FromToml("[app_vm_config.modular]\nx = [\"1\" 2]").status().message()),
              testing::HasSubstr("line 2"));
  EXPECT_FALSE(FromToml("x").ok());
  EXPECT_FALSE(FromToml("[a").ok());
  EXPECT_FALSE(FromToml("x = " + std::string(100, '[')).ok());
}

}  // namespace
}  // namespace precast::openvm
