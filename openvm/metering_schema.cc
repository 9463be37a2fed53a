#include "openvm/metering_schema.h"

namespace precast::openvm {

const char kMeteringSchema[] = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Metering of OpenVM guests: what a prover pays for, and where segments end",
  "description": "Every field may be left out and is then OpenVM's default for the machine.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "$schema": {"type": "string"},
    "chips": {
      "description": "A height is an index in it. Replaces the whole list.",
      "type": "array",
      "minItems": 1,
      "maxItems": 4096,
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
          "name": {
            "description": "What instructions call the chip that they add rows to.",
            "type": "string",
            "minLength": 1
          },
          "width": {
            "description": "Columns of the main trace.",
            "type": "integer", "minimum": 0, "maximum": 1048576, "default": 0
          },
          "interactions": {
            "description": "Bus messages of a row.",
            "type": "integer", "minimum": 0, "maximum": 1048576, "default": 0
          },
          "next_row": {
            "description": "Whether its constraints see the next row, too.",
            "type": "boolean", "default": false
          },
          "constraint_cells": {
            "description": "Intermediate cells of constraint evaluation, a row.",
            "type": "integer", "minimum": 0, "maximum": 1048576, "default": 0
          },
          "constant_height": {
            "description": "Rows in every segment, whatever is executed. Never ends a segment.",
            "type": ["integer", "null"], "minimum": 0, "maximum": 4294967295, "default": null
          }
        }
      }
    },
    "boundary": {
      "description": "The chip with 128 rows for each page touched.",
      "type": "string", "minLength": 1, "default": "Boundary"
    },
    "merkle": {
      "description": "The chip with rows for the inner nodes above the pages touched.",
      "type": "string", "minLength": 1, "default": "Merkle"
    },
    "poseidon2": {
      "description": "The chip with rows for the hashes of both.",
      "type": "string", "minLength": 1, "default": "Poseidon2"
    },
    "tree_height": {
      "description": "Levels of the memory's Merkle tree above its leaves. By default the machine's memory bits.",
      "type": "integer", "minimum": 6, "maximum": 64
    },
    "max_height_bits": {
      "description": "A segment ends before a chip has more than 2^max_height_bits rows, padded.",
      "type": "integer", "minimum": 0, "maximum": 31, "default": 24
    },
    "max_memory": {
      "description": "Bytes that proving a segment may take, as estimated.",
      "type": "integer", "minimum": 0, "maximum": 18446744073709551615, "default": 16106127360
    },
    "max_interactions": {
      "description": "Bus messages of a segment.",
      "type": "integer", "minimum": 0, "maximum": 18446744073709551615, "default": 2013265921
    },
    "check_interval": {
      "description": "Instructions between checks of the limits.",
      "type": "integer", "minimum": 1, "maximum": 1000000, "default": 1000
    },
    "max_cost": {
      "description": "Of metered cost (rows times widths): the run is suspended when it has more.",
      "type": "integer", "minimum": 0, "maximum": 18446744073709551615, "default": 1610612736000
    },
    "memory_model": {
      "description": "How the prover's memory is estimated from heights.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "base_field_bytes": {"type": "integer", "minimum": 1, "maximum": 256, "default": 4},
        "extension_degree": {"type": "integer", "minimum": 1, "maximum": 256, "default": 4},
        "digest_bytes": {"type": "integer", "minimum": 1, "maximum": 256, "default": 32},
        "log_blowup": {"type": "integer", "minimum": 0, "maximum": 31, "default": 1},
        "l_skip": {"type": "integer", "minimum": 0, "maximum": 31, "default": 4},
        "log_stacked_height": {"type": "integer", "minimum": 0, "maximum": 31, "default": 24},
        "k_whir": {"type": "integer", "minimum": 0, "maximum": 31, "default": 4},
        "max_constraint_degree": {"type": "integer", "minimum": 1, "maximum": 256, "default": 3},
        "cache_stacked_matrix": {"type": "boolean", "default": false},
        "cache_rs_code_matrix": {"type": "boolean", "default": true},
        "zerocheck_save_memory": {"type": "boolean", "default": true}
      }
    }
  }
}
)";

}  // namespace precast::openvm
