// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of mount parameters.

use super::*;

#[derive(Default, Debug, PartialEq)]
struct Options {
    max: u32,
    mode: u32,
    level: usize,
    label: u8,
}

const PARAMS: &[Param<Options>] = &[
    Param::u32(c"max", |options, max, log| {
        if max > 100 {
            return Err(log.invalid(fmt!("max must not be larger than 100")));
        }
        options.max = max;
        Ok(())
    }),
    Param::octal(c"mode", |options, mode, _| {
        options.mode = mode;
        Ok(())
    }),
    Param::choice(c"level", &[c"low", c"high"], |options, level, _| {
        options.level = level;
        Ok(())
    }),
    Param::text(c"label", |options, label, _| {
        options.label = label.to_bytes()[0];
        Ok(())
    }),
];

/// Parses one parameter as the VFS would have it parsed for `mount -o key=value`.
fn parse(options: &mut Options, key: &CStr, value: Option<&CStr>) -> Result {
    let table = ParamTable::new(PARAMS)?;
    let mut log: bindings::p_log = pin_init::zeroed();
    let mut param: bindings::fs_parameter = pin_init::zeroed();

    log.prefix = c"rust_fs_param_test".as_char_ptr();
    param.key = key.as_char_ptr();
    match value {
        Some(value) => {
            param.set_type(bindings::fs_value_type_fs_value_is_string);
            param.__bindgen_anon_1.string = value.as_char_ptr().cast_mut();
        }
        None => param.set_type(bindings::fs_value_type_fs_value_is_flag),
    }

    // SAFETY: Both structures are filled in as the VFS does it; the parser only reads the string.
    unsafe { table.parse(options, &mut log, &mut param) }
}

fn parse_ok(key: &CStr, value: Option<&CStr>) -> Result<Options> {
    let mut options = Options::default();
    parse(&mut options, key, value)?;
    Ok(options)
}

fn error(key: &CStr, value: Option<&CStr>) -> Option<Error> {
    parse_ok(key, value).err()
}

#[macros::kunit_tests(rust_fs_param)]
mod cases {
    use super::*;

    #[test]
    fn number() -> Result {
        assert_eq!(parse_ok(c"max", Some(c"100"))?.max, 100);
        assert_eq!(parse_ok(c"max", Some(c"0x20"))?.max, 32);
        assert_eq!(error(c"max", Some(c"101")), Some(EINVAL));
        assert_eq!(error(c"max", Some(c"-1")), Some(EINVAL));
        assert_eq!(error(c"max", Some(c"12 ")), Some(EINVAL));
        assert_eq!(error(c"max", Some(c"4294967296")), Some(EINVAL));
        assert_eq!(error(c"max", Some(c"")), Some(EINVAL));
        assert_eq!(error(c"max", None), Some(EINVAL));
        Ok(())
    }

    #[test]
    fn octal_number() -> Result {
        assert_eq!(parse_ok(c"mode", Some(c"755"))?.mode, 0o755);
        assert_eq!(error(c"mode", Some(c"8")), Some(EINVAL));
        Ok(())
    }

    #[test]
    fn choice() -> Result {
        assert_eq!(parse_ok(c"level", Some(c"low"))?.level, 0);
        assert_eq!(parse_ok(c"level", Some(c"high"))?.level, 1);
        assert_eq!(error(c"level", Some(c"hig")), Some(EINVAL));
        assert_eq!(error(c"level", Some(c"")), Some(EINVAL));
        Ok(())
    }

    #[test]
    fn text() -> Result {
        assert_eq!(parse_ok(c"label", Some(c"x=y"))?.label, b'x');
        assert_eq!(error(c"label", Some(c"")), Some(EINVAL));
        assert_eq!(error(c"label", None), Some(EINVAL));
        Ok(())
    }

    #[test]
    fn unknown_and_refused_leave_the_options_alone() {
        let mut options = Options::default();

        assert_eq!(parse(&mut options, c"min", Some(c"1")), Err(ENOPARAM));
        assert_eq!(parse(&mut options, c"max", Some(c"200")), Err(EINVAL));
        assert_eq!(options, Options::default());
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations() -> Result {
        crate::kunit::each_allocation_fails(|| ParamTable::new(PARAMS).map(drop))?;
        Ok(())
    }
}
