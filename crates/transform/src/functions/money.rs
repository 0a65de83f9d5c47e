//! `sum_money(amount, currency)`: a sum that refuses to add euros to dollars.
//!
//! Amounts are exact decimals; null amounts are left out. An amount without a currency is not the
//! same money as one with a currency, so the two are not added either.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Decimal128Array};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

/// Most digits of a decimal.
const DIGITS_MAX: u8 = 38;

/// Digits of a sum beyond those of its amounts: ten billion rows.
const DIGITS_MORE: u8 = 10;

/// The aggregate function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SumMoney {
    signature: Signature,
}

impl SumMoney {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SumMoney {
    fn name(&self) -> &str {
        "sum_money"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [DataType::Decimal128(digits, scale), _] => Ok(DataType::Decimal128(
                DIGITS_MAX.min(digits + DIGITS_MORE),
                *scale,
            )),
            _ => plan_err!("`sum_money` adds decimals"),
        }
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [amount, currency] = arguments else {
            return plan_err!(
                "`sum_money` was given {} arguments (hint: sum_money(amount, currency_code))",
                arguments.len()
            );
        };
        if currency.is_nested() {
            return plan_err!("the currency of `sum_money` is a text, not {currency}");
        }
        let amount = match amount {
            DataType::Decimal128(..) => amount.clone(),
            DataType::Decimal32(digits, scale) | DataType::Decimal64(digits, scale) => {
                DataType::Decimal128(*digits, *scale)
            }
            DataType::Null => DataType::Decimal128(18, 6),
            whole if whole.is_integer() => DataType::Decimal128(20, 0),
            other => {
                return plan_err!(
                    "`sum_money` adds decimals, not {other} \
                     (hint: cast(amount as decimal(18, 6)) where the amount is made)"
                );
            }
        };
        Ok(vec![amount, DataType::Utf8])
    }

    fn accumulator(&self, call: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(MoneySum(MoneySums::new(
            call.return_field.data_type(),
        ))))
    }

    fn state_fields(&self, call: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let amount = call.return_field.data_type().clone();
        let currency = format_state_name(call.name, "currency");
        Ok(vec![
            Arc::new(Field::new(
                format_state_name(call.name, "sum"),
                amount,
                true,
            )),
            Arc::new(Field::new(currency, DataType::Utf8, true)),
        ])
    }

    fn groups_accumulator_supported(&self, call: AccumulatorArgs<'_>) -> bool {
        !call.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        call: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(MoneySums::new(call.return_field.data_type())))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The sums of many groups.
#[derive(Debug, Clone)]
struct MoneySums {
    data_type: DataType,
    sums: Vec<i128>,
    /// For each group: None before its first amount, then the place of its currency.
    currencies: Vec<Option<u32>>,
    /// The currencies seen; None is "no currency". There are few.
    known: Vec<Option<String>>,
}

impl MoneySums {
    fn new(data_type: &DataType) -> Self {
        Self {
            data_type: data_type.clone(),
            sums: vec![],
            currencies: vec![],
            known: vec![],
        }
    }

    fn resize(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.currencies.resize(groups, None);
    }

    /// The place of a currency; `last` is where the one before stood.
    fn place(&mut self, currency: Option<&str>, last: u32) -> u32 {
        if self
            .known
            .get(last as usize)
            .is_some_and(|known| known.as_deref() == currency)
        {
            return last;
        }
        let found = self
            .known
            .iter()
            .position(|known| known.as_deref() == currency);
        let place = found.unwrap_or_else(|| {
            self.known.push(currency.map(str::to_owned));
            self.known.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn add(&mut self, group: usize, amount: i128, currency: u32) -> Result<()> {
        match self.currencies[group] {
            None => self.currencies[group] = Some(currency),
            Some(before) if before == currency => {}
            Some(before) => {
                let name = |place: u32| {
                    let known = self.known.get(place as usize).and_then(Option::as_deref);
                    known.map_or("no currency".to_owned(), |code| format!("`{code}`"))
                };
                let (one, other) = (name(before.min(currency)), name(before.max(currency)));
                return exec_err!(
                    "`sum_money` was asked to add {one} and {other} (hint: group by \
                     the currency, or add up the amounts in the reporting currency)"
                );
            }
        }
        let Some(sum) = self.sums[group].checked_add(amount) else {
            return exec_err!("`sum_money`: the sum has more than {DIGITS_MAX} digits");
        };
        self.sums[group] = sum;
        Ok(())
    }

    fn add_all(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let [amounts, currencies] = values else {
            return exec_err!("`sum_money` was given {} columns", values.len());
        };
        let amounts = amounts.as_primitive::<Decimal128Type>();
        let currencies = currencies.as_string::<i32>();
        let mut last = 0;
        for row in 0..amounts.len() {
            let is_kept = filter.is_none_or(|kept| kept.is_valid(row) && kept.value(row));
            if !is_kept || amounts.is_null(row) {
                continue;
            }
            let currency = currencies.is_valid(row).then(|| currencies.value(row));
            last = self.place(currency, last);
            self.add(group_of(row), amounts.value(row), last)?;
        }
        Ok(())
    }

    /// Sums and currencies of the groups that go out.
    fn take(&mut self, emit_to: EmitTo) -> Result<(ArrayRef, ArrayRef)> {
        let sums = emit_to.take_needed(&mut self.sums);
        let currencies = emit_to.take_needed(&mut self.currencies);
        let sums: Decimal128Array = sums
            .into_iter()
            .zip(&currencies)
            .map(|(sum, currency)| currency.map(|_| sum))
            .collect();
        let mut codes = StringBuilder::with_capacity(currencies.len(), currencies.len() * 3);
        for currency in currencies {
            let known = currency.and_then(|place| self.known.get(place as usize));
            codes.append_option(known.and_then(Option::as_deref));
        }
        Ok((
            Arc::new(sums.with_data_type(self.data_type.clone())),
            Arc::new(codes.finish()),
        ))
    }
}

impl GroupsAccumulator for MoneySums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        self.add_all(values, |row| group_indices[row], opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, currencies) = self.take(emit_to)?;
        Ok(vec![sums, currencies])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        // A state is a sum and its currency: the same as an amount.
        self.resize(total_num_groups);
        self.add_all(values, |row| group_indices[row], None)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let [amounts, currencies] = values else {
            return exec_err!("`sum_money` was given {} columns", values.len());
        };
        let amounts = amounts.as_primitive::<Decimal128Type>();
        let sums: Decimal128Array = (0..amounts.len())
            .map(|row| {
                let is_kept = opt_filter.is_none_or(|kept| kept.is_valid(row) && kept.value(row));
                (is_kept && amounts.is_valid(row)).then(|| amounts.value(row))
            })
            .collect();
        let sums = sums.with_data_type(self.data_type.clone());
        Ok(vec![Arc::new(sums), Arc::clone(currencies)])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>()
            + self.currencies.capacity() * size_of::<Option<u32>>()
            + self.known.capacity() * size_of::<Option<String>>()
    }
}

/// The sum of one group.
#[derive(Debug)]
struct MoneySum(MoneySums);

impl Accumulator for MoneySum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.resize(1);
        self.0.add_all(values, |_| 0, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.resize(1);
        // A window asks again and again while rows come in: the sum stays.
        ScalarValue::try_from_array(&self.0.clone().take(EmitTo::All)?.0, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.resize(1);
        let (sums, currencies) = self.0.take(EmitTo::All)?;
        [sums, currencies]
            .iter()
            .map(|array| ScalarValue::try_from_array(array, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
