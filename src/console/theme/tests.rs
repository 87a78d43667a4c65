//! Every shipped theme, at every depth; what is said of files that do not read.

use super::*;

#[test]
fn every_shipped_theme_reads_at_every_depth_and_sets_every_role() {
    for (name, text) in SHIPPED {
        for depth in [Depth::Sixteen, Depth::Many, Depth::True, Depth::Mono] {
            let theme = Theme::shipped(name, depth).unwrap();
            assert_eq!(theme.name, if depth == Depth::Mono { "mono" } else { name });
        }
        if name == "terminal" {
            for (_, role) in Role::ALL {
                assert!(text.contains(&format!("\n{role} = ")), "{role} is not in the theme terminal");
            }
        }
    }
}

#[test]
fn only_selection_and_match_reverse_and_none_sets_a_background() {
    for (name, _) in SHIPPED {
        let theme = Theme::shipped(name, Depth::True).unwrap();
        for (role, word) in Role::ALL {
            let style = theme.style(role);
            assert_eq!(style.bg, None, "{name} {word}");
            let reversed = style.add_modifier.contains(Modifier::REVERSED);
            assert_eq!(reversed, matches!(role, Role::Selection | Role::Match), "{name} {word}");
        }
    }
}

#[test]
fn mono_has_no_colour_and_sixteen_no_rgb() {
    for (name, _) in SHIPPED {
        for (role, _) in Role::ALL {
            assert_eq!(Theme::shipped(name, Depth::Mono).unwrap().style(role).fg, None);
            let sixteen = Theme::shipped(name, Depth::Sixteen).unwrap().style(role).fg;
            assert!(!matches!(sixteen, Some(Color::Rgb(..) | Color::Indexed(_))));
        }
    }
}

#[test]
fn errors_name_file_and_line() {
    let read = |text| Theme::read("mine", "mine.toml", text, Depth::True).unwrap_err().to_string();
    assert!(
        read("inherits = \"terminal\"\n[roles]\ngooood = {}\n")
            .starts_with("mine.toml:3: there is no role \"gooood\"; did you mean good?")
    );
    assert!(read("[roles]\n\ngood = { fg = \"grün\" }\n").starts_with("mine.toml:3: \"grün\" is no colour"));
    assert!(read("[roles]\ngood = { blink = true }\n").starts_with("mine.toml:2: \"blink\" is none of"));
    assert!(read("\ninherits = \"nope\"\n").starts_with("mine.toml:2: there is no theme \"nope\""));
    assert!(read("[roles\n").starts_with("mine.toml:1: "));
}

#[test]
fn colours_are_fitted_to_the_nearest() {
    assert_eq!(colour_fitted(Color::Rgb(255, 0, 0), Depth::Many), Some(Color::Indexed(196)));
    assert_eq!(colour_fitted(Color::Rgb(128, 128, 128), Depth::Many), Some(Color::Indexed(244)));
    assert_eq!(colour_fitted(Color::Rgb(250, 30, 40), Depth::Sixteen), Some(Color::Red));
    assert_eq!(colour_fitted(Color::Indexed(46), Depth::Sixteen), Some(Color::Green));
    for red in 0..=255 {
        assert!(cube(red, red, red) >= 16);
    }
}

/// The luminance of a colour, as WCAG 2 has it; those of the terminal's own palette are not known.
fn luminance(colour: Color) -> Option<f64> {
    let (red, green, blue) = match colour {
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(index @ 16..) => of_index(index),
        _ => return None,
    };
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue))
}

/// The ratio of contrast between two colours, from 1 to 21.
fn ratio(one: Color, other: Color) -> f64 {
    let (one, other) = (luminance(one).unwrap(), luminance(other).unwrap());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The shipped themes that are for one background.
const ON: [&str; 4] = ["dark", "light", "contrast", "contrast-light"];

#[test]
fn every_text_is_read_on_the_background_that_its_theme_is_for() {
    for name in ON {
        for depth in [Depth::True, Depth::Many] {
            let theme = Theme::shipped(name, depth).unwrap();
            let background = theme.background.unwrap();
            for (role, word) in Role::ALL {
                let Some(colour) = theme.style(role).fg else { continue };
                let least = if role == Role::Border { 3.0 } else { 4.5 };
                let found = ratio(colour, background);
                assert!(found >= least, "{name} {depth:?} {word}: {found:.2} to 1");
            }
        }
    }
    assert_eq!(format!("{:.1}", ratio(Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255))), "21.0");
}

#[test]
fn contrast_tells_good_from_bad_by_blue_and_orange_and_by_brightness() {
    for name in ["contrast", "contrast-light"] {
        for depth in [Depth::True, Depth::Many] {
            let theme = Theme::shipped(name, depth).unwrap();
            for (good, bad) in
                [(Role::Good, Role::Bad), (Role::Added, Role::Removed), (Role::Good, Role::Warn)]
            {
                let colours = [theme.style(good).fg.unwrap(), theme.style(bad).fg.unwrap()];
                let parts = colours.map(|colour| match colour {
                    Color::Rgb(red, _, blue) => (red, blue),
                    Color::Indexed(index) => (of_index(index).0, of_index(index).2),
                    _ => unreachable!(),
                });
                assert!(
                    parts[0].1 > parts[0].0 && parts[1].0 > parts[1].1,
                    "{name} {depth:?} {good:?} {bad:?}"
                );
                let apart = ratio(colours[0], colours[1]);
                assert!(bad == Role::Warn || apart >= 1.6, "{name} {depth:?} {good:?} {bad:?} {apart:.2}");
            }
        }
    }
}

#[test]
fn where_there_are_but_six_colours_good_warn_and_bad_are_still_three() {
    for (name, _) in SHIPPED.iter().filter(|(name, _)| *name != "mono") {
        let theme = Theme::shipped(name, Depth::Sixteen).unwrap();
        let looks = [Role::Good, Role::Warn, Role::Bad].map(|role| theme.style(role));
        assert!(looks[0].fg != looks[1].fg && looks[0].fg != looks[2].fg && looks[1] != looks[2], "{name}");
        let safe = !name.starts_with("contrast") || looks[0].fg == Some(Color::Blue);
        assert!(safe, "{name}: {:?}", looks[0]);
    }
}
